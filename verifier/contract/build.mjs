// Compiles the contracts: node build.mjs > contracts.json
// Standard JSON in, {name: {abi, bytecode, runtime_bytes}} out; errors and warnings go to standard error.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const here = dirname(fileURLToPath(import.meta.url));

function* files(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else if (name.endsWith(".sol")) yield path;
  }
}

const sources = {};
for (const path of files(join(here, "src"))) {
  sources[relative(here, path)] = { content: readFileSync(path, "utf8") };
}
const WANTED = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"];
// The verifier is optimised for what a call costs; the others, which would be too large then, for their size as well.
const passes = [
  { runs: 1_000_000, files: (name) => name === "src/MarginVerifier.sol" },
  { runs: 200, files: (name) => name !== "src/MarginVerifier.sol" },
];
const settingsOf = ({ runs, files }) => ({
  evmVersion: "prague",
  viaIR: true,
  optimizer: { enabled: true, runs },
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: Object.fromEntries(
    Object.keys(sources).filter(files).map((name) => [name, { "*": WANTED }]),
  ),
});
const found = (path) => {
  try {
    return { contents: readFileSync(join(here, "node_modules", path), "utf8") };
  } catch (error) {
    return { error: String(error) };
  }
};
const digest = createHash("sha256");
for (const [name, { content }] of Object.entries(sources)) digest.update(`${name}\0${content}\0`);
digest.update(readFileSync(join(here, "package-lock.json")));
digest.update(readFileSync(fileURLToPath(import.meta.url)));

const contracts = {};
for (const pass of passes) {
  const input = { language: "Solidity", sources, settings: settingsOf(pass) };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: found }));
  const problems = output.errors ?? [];
  for (const problem of problems) console.error(problem.formattedMessage);
  if (problems.length) process.exit(1);
  for (const [file, units] of Object.entries(output.contracts)) {
    for (const [name, unit] of Object.entries(units)) {
      if (!file.startsWith("src/") || !unit.evm?.bytecode?.object || !unit.abi.length) continue;
      const runtime = unit.evm.deployedBytecode.object.length / 2;
      if (runtime > 24576) throw new Error(`${name} has ${runtime} bytes; at most 24,576 can be deployed`);
      contracts[name] = { abi: unit.abi, bytecode: unit.evm.bytecode.object, runtime_bytes: runtime };
    }
  }
}
const document = { compiler: solc.version(), sources: digest.digest("hex"), contracts };
process.stdout.write(JSON.stringify(document, null, 1) + "\n");
