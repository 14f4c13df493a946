// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IPledgeLedger} from "../interfaces/IPledgeLedger.sol";

/// @title An example: a vault that lends a dollar token against a pledge
/// @notice One loan to a pledge, without interest. The ledger's owner has to name the vault a lender.
contract LendingVault {
    using SafeERC20 for IERC20;

    IPledgeLedger public immutable LEDGER;
    IERC20 public immutable TOKEN;
    /// @notice Ticks of the ledger to the smallest unit of the token.
    uint256 public immutable TICKS;

    /// @notice What is owed on a pledge, in the token's smallest unit.
    mapping(uint256 => uint256) public debtOf;

    event Borrowed(uint256 indexed pledge, address indexed subject, uint256 amount);
    event Repaid(uint256 indexed pledge, uint256 amount, uint256 left);
    event Defaulted(uint256 indexed pledge, uint256 debt);

    error NotSubject(address caller);
    error PledgeInStatus(IPledgeLedger.Status status);
    error BeyondPledge(uint256 debt, uint256 most);
    error NothingOwed();

    /// @param ticks how many ticks of the ledger make the token's smallest unit: 100 for a token of six decimals and ticks
    /// of 10^-8 USD.
    constructor(IPledgeLedger ledger, IERC20 token, uint256 ticks) {
        LEDGER = ledger;
        TOKEN = token;
        TICKS = ticks;
    }

    /// @notice The subject of an active pledge borrows, in all at most what is pledged.
    function borrow(uint256 pledge, uint256 amount) external {
        (address subject, uint256 ticks,) = LEDGER.pledgeOf(pledge);
        if (msg.sender != subject) revert NotSubject(msg.sender);
        IPledgeLedger.Status status = LEDGER.statusOf(pledge);
        if (status != IPledgeLedger.Status.Active) revert PledgeInStatus(status);
        uint256 debt = debtOf[pledge] + amount;
        if (debt > ticks / TICKS) revert BeyondPledge(debt, ticks / TICKS);
        debtOf[pledge] = debt;
        emit Borrowed(pledge, subject, amount);
        TOKEN.safeTransfer(subject, amount);
    }

    /// @notice Anyone repays; with the last of the debt the pledge is released.
    function repay(uint256 pledge, uint256 amount) external {
        uint256 debt = debtOf[pledge];
        if (debt == 0 || amount == 0) revert NothingOwed();
        if (amount > debt) amount = debt;
        debt -= amount;
        debtOf[pledge] = debt;
        emit Repaid(pledge, amount, debt);
        TOKEN.safeTransferFrom(msg.sender, address(this), amount);
        IPledgeLedger.Status status = LEDGER.statusOf(pledge);
        if (debt == 0 && status != IPledgeLedger.Status.Released && status != IPledgeLedger.Status.Lapsed) {
            LEDGER.release(pledge);
        }
    }

    /// @notice Anyone calls a pledge that was not proven in time and has a debt on it: from then on it does not lapse.
    function claim(uint256 pledge) external {
        uint256 debt = debtOf[pledge];
        if (debt == 0) revert NothingOwed();
        IPledgeLedger.Status status = LEDGER.statusOf(pledge);
        if (status != IPledgeLedger.Status.Stale) revert PledgeInStatus(status);
        emit Defaulted(pledge, debt);
        LEDGER.call(pledge);
    }
}
