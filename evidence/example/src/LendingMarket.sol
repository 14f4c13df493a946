// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title A market that counts collateral and debt in shares, each with a price that grows with interest.
contract LendingMarket {
    mapping(address holder => uint256) public collateralShares;
    mapping(address holder => uint256) public debtShares;
    uint256 public collateralPrice = 1e18;
    uint256 public debtPrice = 1e18;

    function supply(uint256 shares) external {
        collateralShares[msg.sender] += shares;
    }

    function borrow(uint256 shares) external {
        debtShares[msg.sender] += shares;
    }

    /// @dev An example's way for interest to come about.
    function accrue(uint256 collateralPrice_, uint256 debtPrice_) external {
        collateralPrice = collateralPrice_;
        debtPrice = debtPrice_;
    }
}
