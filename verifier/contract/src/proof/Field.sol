// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev r, the order of the scalar field of BLS12-381.
uint256 constant R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

/// @dev Bytes of a point as EIP-2537 has it: x and y, each 48 bytes after 16 zero bytes; all zeros for infinity.
uint256 constant POINT = 128;

/// @title The multiplicative subgroup of order n = 2^t, 6 <= t <= 11
library Domain {
    /// @notice w, the generator that the protocol fixes.
    function root(uint256 t) internal pure returns (uint256) {
        if (t == 11) return 0x6d031f1b5c49c83409f1ca610a08f16655ea6811be9c622d4a838b5d59cd79e5;
        if (t == 10) return 0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854;
        if (t == 9) return 0x095166525526a65439feec240d80689fd697168a3a6000fe4541b8ff2ee0434e;
        if (t == 8) return 0x4f9b4098e2e9f12e6b368121ac0cf4ad0a0865a899e8deff4935bd2f817f694b;
        if (t == 7) return 0x6898111413588742b7c68b4d7fdd60d098d0caac87f5713c5130c2c1660125be;
        return 0x45af6345ec055e4d14a1e27164d8fdbd2d967f4be2f951558140d032f0a9ee53;
    }

    /// @notice 1/w.
    function inverseRoot(uint256 t) internal pure returns (uint256) {
        if (t == 11) return 0x55612c879036d62fae65b5bdd485b39aa954d02ff707ac89dc982deab639eb06;
        if (t == 10) return 0x5164ca4cf7456c9b942c20e45c3ad14d9ce862487904d0ab1b561347c6a47727;
        if (t == 9) return 0x6a61dbd781fc6d1c881dab49e15d37277dd34dc48b542a7916654b4e3193f385;
        if (t == 8) return 0x18ba7658084c71a467e701a945e9b713df7b4ee66e4caccb7d01866add958780;
        if (t == 7) return 0x60c7efec34093e9a725ce48f79bf9cd60081066e578d78bf6207cd2f20df9d12;
        return 0x640d097461a2eeaf4e84b3cd7dc75b61db872ef3dce28e788d28c143168bba2c;
    }

    /// @notice 1/n: n divides r - 1, so it is r - (r - 1) / n.
    function inverseOrder(uint256 t) internal pure returns (uint256) {
        return R - ((R - 1) >> t);
    }
}
