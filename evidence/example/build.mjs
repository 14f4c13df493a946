// Compiles the example's contracts with the compiler beside the product's own: node build.mjs > contracts.json
import { createRequire } from "node:module";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const solc = createRequire(join(here, "../../verifier/contract/package.json"))("solc");

const sources = {};
for (const name of readdirSync(join(here, "src")).sort()) {
  sources[name] = { content: readFileSync(join(here, "src", name), "utf8") };
}
const settings = {
  evmVersion: "prague",
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "storageLayout"] } },
};
const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
for (const problem of output.errors ?? []) console.error(problem.formattedMessage);
if (output.errors?.length) process.exit(1);
const contracts = {};
for (const units of Object.values(output.contracts)) {
  for (const [name, unit] of Object.entries(units)) {
    const layout = Object.fromEntries(unit.storageLayout.storage.map(({ label, slot }) => [label, Number(slot)]));
    contracts[name] = { abi: unit.abi, bytecode: unit.evm.bytecode.object, layout };
  }
}
process.stdout.write(JSON.stringify({ compiler: solc.version(), contracts }, null, 1) + "\n");
