// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title A token whose balances lie in a mapping at slot 0.
contract Token {
    mapping(address => uint256) public balanceOf;
    uint8 public immutable decimals;

    event Transfer(address indexed from, address indexed to, uint256 value);

    error Short(uint256 balance, uint256 value);

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        uint256 balance = balanceOf[msg.sender];
        if (balance < value) revert Short(balance, value);
        balanceOf[msg.sender] = balance - value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}
