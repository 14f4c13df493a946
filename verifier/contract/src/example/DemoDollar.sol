// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A dollar for demonstrations: who deploys it has all of it
contract DemoDollar is ERC20 {
    constructor(uint256 supply) ERC20("Demonstration dollar", "DEMO") {
        _mint(msg.sender, supply);
    }

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
