// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMarginVerifier} from "./interfaces/IMarginVerifier.sol";
import {Equations} from "./proof/Equations.sol";
import {Evaluation} from "./proof/Evaluation.sol";
import {Domain, POINT, R} from "./proof/Field.sol";
import {Precompiles} from "./proof/Precompiles.sol";
import {Program} from "./proof/Program.sol";
import {ProgramCheck} from "./proof/ProgramCheck.sol";
import {Transcript} from "./proof/Transcript.sol";

/// @title The margin argument's verifier, in direct mode
/// @notice Holds no state but one word: the transcript after protocol and setup.
contract MarginVerifier is IMarginVerifier {
    /// @inheritdoc IMarginVerifier
    bytes32 public constant SETUP = 0xd39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7;
    bytes32 private immutable _START;

    /// @dev Challenges and what they weigh, one word each.
    struct Round {
        uint256 alpha;
        uint256 beta;
        uint256 gamma;
        uint256 delta;
        uint256 zeta;
        uint256 nu;
        uint256 mu;
    }

    /// @dev The public values at zeta: the coefficients a on holdings, d on limb columns (a place in memory), e on squares
    /// and f on their squares, the table t, zeta^n - 1, and v / n of the weighted equations.
    struct Public {
        uint256 holdings;
        uint256 limbs;
        uint256 u;
        uint256 v;
        uint256 table;
        uint256 vanishing;
        uint256 total;
    }

    /// @notice Reverts on an EVM that lacks a precompile.
    constructor() {
        Precompiles.test();
        bytes memory protocol = "zkmargin/margin-argument/2";
        bytes32 state =
            sha256(abi.encodePacked("zkmargin transcript 1", uint64(protocol.length), protocol));
        _START = sha256(abi.encodePacked(state, uint8(1), uint64(5), "setup", uint64(32), SETUP));
    }

    /// @inheritdoc IMarginVerifier
    function checkProgram(address[] calldata chunks) external view returns (bytes32 digest, uint256 bits) {
        (uint256 place, uint256 size) = Program.load(chunks);
        bits = ProgramCheck.check(place, size);
        assembly ("memory-safe") {
            if iszero(staticcall(gas(), 2, place, size, 0, 32)) { revert(0, 0) }
            digest := mload(0)
        }
    }

    /// @inheritdoc IMarginVerifier
    function verify(
        bytes32 statement,
        address[] calldata chunks,
        int256 threshold,
        bytes calldata commitments,
        bytes calldata proof
    ) external view {
        if (commitments.length == 0 || commitments.length % POINT != 0) revert CommitmentLength(commitments.length);
        Program.Shape memory s;
        {
            (uint256 place, uint256 size) = Program.load(chunks);
            s = Program.shape(place, size);
        }
        (uint256 points, uint256 scalars) = _parts(s, proof);
        Round memory c = _challenges(statement, s, points, scalars);
        Public memory p = _public(s, c, threshold);
        _check(s, c, p, points, scalars, commitments);
    }

    /// @dev Points and scalars in memory; their numbers follow from the program, never from the proof.
    function _parts(Program.Shape memory s, bytes calldata proof)
        private
        pure
        returns (uint256 points, uint256 scalars)
    {
        uint256 squares = s.squares ? 1 : 0;
        uint256 first = POINT * (s.limbs + 2 * squares + s.helpers + s.group + 5);
        uint256 wanted = first + 32 * (s.limbs + squares + 1);
        if (proof.length != wanted) revert ProofLength(proof.length, wanted);
        bool good = true;
        assembly ("memory-safe") {
            points := mload(0x40)
            scalars := add(points, first)
            let end := add(points, wanted)
            mstore(0x40, end)
            calldatacopy(points, proof.offset, wanted)
            for { let v := scalars } lt(v, end) { v := add(v, 32) } { good := and(good, lt(mload(v), R)) }
        }
        if (!good) revert ScalarOutOfRange();
    }

    /// @dev The conversation: every message is absorbed before the challenge that follows it.
    function _challenges(bytes32 statement, Program.Shape memory s, uint256 p, uint256 v)
        private
        view
        returns (Round memory c)
    {
        uint256 t = Transcript.start(_START);
        uint256 n = 1 << s.t;
        Transcript.word(t, "statement", 9, uint256(statement));
        p = Transcript.points(t, "limb column", 11, p, s.limbs);
        p = Transcript.points(t, "multiplicity", 12, p, 1);
        if (s.squares) p = Transcript.points(t, "square column", 13, p, 2);
        c.alpha = Transcript.challenge(t, "alpha", 5);
        if (c.alpha == 0 || R - c.alpha < n) revert ChallengeUndefined();
        c.beta = Transcript.challenge(t, "beta", 4);
        p = Transcript.points(t, "helper", 6, p, s.helpers);
        p = Transcript.points(t, "table helper", 12, p, 1);
        c.gamma = Transcript.challenge(t, "gamma", 5);
        p = Transcript.points(t, "running sum", 11, p, 1);
        c.delta = Transcript.challenge(t, "delta", 5);
        p = Transcript.points(t, "quotient chunk", 14, p, s.group);
        c.zeta = Transcript.challenge(t, "zeta", 4);
        for (uint256 i = s.limbs; i != 0; --i) {
            Transcript.word(t, "limb value", 10, _word(v));
            v += 32;
        }
        if (s.squares) {
            Transcript.word(t, "square value", 12, _word(v));
            v += 32;
        }
        Transcript.word(t, "running sum at w zeta", 21, _word(v));
        c.nu = Transcript.challenge(t, "nu", 2);
        p = Transcript.points(t, "opening", 7, p, 1);
        Transcript.points(t, "opening at w zeta", 17, p, 1);
        c.mu = Transcript.challenge(t, "mu", 2);
    }

    /// @dev All that the program says, weighted and evaluated.
    function _public(Program.Shape memory s, Round memory c, int256 threshold)
        private
        view
        returns (Public memory p)
    {
        if (c.beta == 1) revert ChallengeUndefined();
        Equations.Weights memory w;
        w.beta = c.beta;
        w.powers = Evaluation.powers(c.beta, s.equations);
        w.bias = mulmod(0x8000000000000000, Precompiles.inverse(addmod(c.beta, R - 1, R)), R);
        uint256 unorder = Domain.inverseOrder(s.t);
        {
            (w.lagrange, p.table, p.vanishing) =
                Evaluation.lagrange(s.t, c.zeta, Domain.inverseRoot(s.t), unorder);
        }
        if (p.vanishing == 0) revert ChallengeUndefined();
        uint256 head = _word(s.place);
        uint256 counts = _word(s.place + 32);
        uint256 place = s.place + 128 + 8 * s.rows;
        uint256 sum;
        (place, sum) = Equations.total(w, place, (head >> 32) & 0xffffffff);
        sum = addmod(sum, R - _closing(s, w, threshold), R);
        p.total = mulmod(R - sum, unorder, R);
        (place, p.limbs) = Equations.rows(w, s, place);
        if (s.squares) {
            (place, p.u) = Equations.column(w, place, counts >> 224);
            (place, p.v) = Equations.column(w, place, (counts >> 192) & 0xffffffff);
        }
        (, p.holdings) = Equations.column(w, place, (counts >> 160) & 0xffffffff);
        p.holdings = addmod(p.holdings, Equations.singles(w, (head >> 64) & 0xffffffff), R);
    }

    /// @dev What the threshold takes off the weighted constants.
    function _closing(Program.Shape memory s, Equations.Weights memory w, int256 threshold)
        private
        pure
        returns (uint256 value)
    {
        (uint256 step, uint256 reach) = Program.closing(s.place);
        bool negative = threshold < 0;
        uint256 magnitude = negative ? uint256(-(threshold + 1)) + 1 : uint256(threshold);
        if (magnitude > reach) revert ThresholdBeyondReach(threshold, reach);
        value = mulmod(mulmod(step, magnitude, R), _word(w.powers + 32 * (s.equations - 1)), R);
        if (negative && value != 0) value = R - value;
    }

    /// @dev The final equation: e(C + constant [1], [1]) = e(W + mu W', [tau - zeta]), C being the sum of all terms.
    /// W is in the subgroup if W + mu W' is, since W' went through the multiplication; the pairing sees to that.
    function _check(
        Program.Shape memory s,
        Round memory c,
        Public memory p,
        uint256 point,
        uint256 scalar,
        bytes calldata commitments
    ) private view {
        uint256 room;
        assembly ("memory-safe") {
            room := mload(0x40)
        }
        uint256 place = room + 640;
        {
            uint256 minus = _minus(mulmod(c.gamma, p.holdings, R));
            assembly ("memory-safe") {
                let from := commitments.offset
                for { let end := add(from, commitments.length) } lt(from, end) { from := add(from, 128) } {
                    calldatacopy(place, from, 128)
                    mstore(add(place, 128), minus)
                    place := add(place, 160)
                }
            }
        }
        uint256 constant_ = mulmod(c.gamma, p.total, R);
        uint256 weight = c.nu;
        for (uint256 i = 0; i < s.limbs; ++i) {
            place = _put(place, point + POINT * i, weight);
            // - (nu^(i+1) + gamma d_i) l_i
            uint256 factor = addmod(weight, mulmod(c.gamma, _word(p.limbs + 32 * i), R), R);
            constant_ = addmod(constant_, _minus(mulmod(factor, _word(scalar + 32 * i), R)), R);
            weight = mulmod(weight, c.nu, R);
        }
        point += POINT * s.limbs;
        place = _put(place, point, _minus(c.delta));
        point += POINT;
        uint256 groupWeight = mulmod(c.delta, c.delta, R);
        if (s.squares) {
            uint256 u = _word(scalar + 32 * s.limbs);
            uint256 squareWeight = mulmod(groupWeight, Evaluation.power(c.delta, s.helpers), R);
            place = _put(place, point, weight);
            place = _put(place, point + POINT, addmod(squareWeight, _minus(mulmod(c.gamma, p.v, R)), R));
            uint256 factor = addmod(weight, mulmod(c.gamma, p.u, R), R);
            factor = addmod(factor, mulmod(squareWeight, u, R), R);
            constant_ = addmod(constant_, _minus(mulmod(factor, u, R)), R);
            point += 2 * POINT;
        }
        {
            uint256 left = s.limbs;
            uint256 value = scalar;
            while (left != 0) {
                uint256 product = 1;
                uint256 sum = 0; // sum_k prod_(k' != k) (alpha + l_k')
                for (uint256 size = left < s.group ? left : s.group; size != 0; --size) {
                    uint256 factor = addmod(c.alpha, _word(value), R);
                    sum = addmod(mulmod(sum, factor, R), product, R);
                    product = mulmod(product, factor, R);
                    value += 32;
                    --left;
                }
                place = _put(place, point, addmod(mulmod(groupWeight, product, R), R - 1, R));
                constant_ = addmod(constant_, _minus(mulmod(groupWeight, sum, R)), R);
                groupWeight = mulmod(groupWeight, c.delta, R);
                point += POINT;
            }
        }
        place = _put(place, point, addmod(1, mulmod(c.delta, addmod(c.alpha, p.table, R), R), R));
        // phi: -1 in r, and mu where it is opened at w zeta
        place = _put(place, point + POINT, addmod(c.mu, R - 1, R));
        point += 2 * POINT;
        {
            // phi(w zeta) stands in r, and is taken off the opening
            uint256 shifted = _word(scalar + 32 * (s.limbs + (s.squares ? 1 : 0)));
            constant_ = addmod(constant_, addmod(shifted, _minus(mulmod(c.mu, shifted, R)), R), R);
        }
        {
            uint256 chunk = _minus(p.vanishing);
            uint256 step = s.group == 1 ? 0 : Evaluation.power(c.zeta, (1 << s.t) + 3);
            for (uint256 i = s.group; i != 0; --i) {
                place = _put(place, point, chunk);
                chunk = mulmod(chunk, step, R);
                point += POINT;
            }
        }
        // zeta W + w zeta mu W' is zeta (W + mu W') and this, and the pairing has zeta for itself
        place = _put(
            place, point + POINT, mulmod(mulmod(c.mu, c.zeta, R), addmod(Domain.root(s.t), R - 1, R), R)
        );
        assembly ("memory-safe") {
            mstore(0x40, place)
        }
        Precompiles.msm(room + 640, (place - room - 640) / 160, room);
        // room: left (128), mu W' (128), W (128), right (128)
        _put(room + 384, point + POINT, c.mu);
        Precompiles.msm(room + 384, 1, room + 128);
        assembly ("memory-safe") {
            mcopy(add(room, 256), point, 128)
        }
        Precompiles.add(room + 128, room + 128);
        if (!Precompiles.opens(room, c.zeta, _minus(constant_), room + 128, room + 256)) revert NotShown();
    }

    /// @dev A term of a sum: a point and its scalar.
    function _put(uint256 to, uint256 from, uint256 scalar) private pure returns (uint256 next) {
        assembly ("memory-safe") {
            mcopy(to, from, 128)
            mstore(add(to, 128), scalar)
            next := add(to, 160)
        }
    }

    function _minus(uint256 x) private pure returns (uint256) {
        return x == 0 ? 0 : R - x;
    }

    function _word(uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(place)
        }
    }
}
