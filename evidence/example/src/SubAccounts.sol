// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Accounts that list what they hold: a balance of each asset, and the list of those that are not zero.
/// @notice What is in the list is all there is, so the list's length and its entries show that nothing is left out.
contract SubAccounts {
    struct Balance {
        int240 balance;
        uint16 order;
    }

    struct Held {
        address asset;
        uint96 subId;
    }

    uint256 public lastAccount;
    mapping(uint256 account => address) public ownerOf;
    mapping(uint256 account => mapping(address asset => mapping(uint256 subId => Balance))) public balanceAndOrder;
    mapping(uint256 account => Held[]) public heldAssets;

    function open(address owner) external returns (uint256 account) {
        account = ++lastAccount;
        ownerOf[account] = owner;
    }

    /// @dev An example's way to come to a balance: anybody may change it. A market would ask its managers here.
    function adjust(uint256 account, address asset, uint96 subId, int240 delta) external {
        Balance storage entry = balanceAndOrder[account][asset][subId];
        int240 before = entry.balance;
        int240 afterwards = before + delta;
        if (before == 0 && afterwards != 0) {
            entry.order = uint16(heldAssets[account].length);
            heldAssets[account].push(Held(asset, subId));
        } else if (before != 0 && afterwards == 0) {
            _take(account, entry.order);
            entry.order = 0;
        }
        entry.balance = afterwards;
    }

    function _take(uint256 account, uint16 order) private {
        Held[] storage held = heldAssets[account];
        Held memory last = held[held.length - 1];
        if (order + 1 != held.length) {
            held[order] = last;
            balanceAndOrder[account][last.asset][last.subId].order = order;
        }
        held.pop();
    }
}
