// Times verification in one headless Chromium: this product's proofs, and Groth16 proofs by snarkjs.
//
//     node bench.mjs CHROMIUM STATEMENT PROGRAM PROOF
//
// The Groth16 key and proof are made here from exponents that are known: what a verifier does with them is the same.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const WEB = fileURLToPath(new URL("../../verifier/web/", import.meta.url));
const require = createRequire(join(WEB, "package.json"));
const { build } = require("esbuild");
const { chromium } = require("playwright-core");
const { bn254 } = await import(require.resolve("@noble/curves/bn254.js"));
const { bls12_381 } = await import(require.resolve("@noble/curves/bls12-381.js"));

const ROUNDS = 15;
const PUBLIC = [11n, 12n, 13n, 14n];

/** A verification key and a proof that are good: c = (a b - alpha beta - x gamma) / delta. */
function groth16(name, { G1, G2, fields }) {
  const { Fr } = fields;
  const [a, b, alpha, beta, gamma, delta, ...ic] = Array.from({ length: 7 + PUBLIC.length }, (_, k) => Fr.create(1n << BigInt(200 + k)));
  const x = PUBLIC.reduce((sum, value, k) => Fr.add(sum, Fr.mul(value, ic[k + 1])), ic[0]);
  const c = Fr.div(Fr.sub(Fr.sub(Fr.mul(a, b), Fr.mul(alpha, beta)), Fr.mul(x, gamma)), delta);
  const one = (scalar) => {
    const { x, y } = G1.Point.BASE.multiply(scalar).toAffine();
    return [String(x), String(y), "1"];
  };
  const two = (scalar) => {
    const { x, y } = G2.Point.BASE.multiply(scalar).toAffine();
    return [[String(x.c0), String(x.c1)], [String(y.c0), String(y.c1)], ["1", "0"]];
  };
  return {
    key: {
      protocol: "groth16",
      curve: name,
      nPublic: PUBLIC.length,
      vk_alpha_1: one(alpha),
      vk_beta_2: two(beta),
      vk_gamma_2: two(gamma),
      vk_delta_2: two(delta),
      IC: ic.map(one),
    },
    proof: { protocol: "groth16", curve: name, pi_a: one(a), pi_b: two(b), pi_c: one(c) },
    signals: PUBLIC.map(String),
  };
}

const [executablePath, statement, program, proof] = process.argv.slice(2);
const bundle = await build({
  stdin: { contents: `export * from "./dist/index.js"`, resolveDir: WEB },
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "verifier",
  write: false,
});
const files = {
  "/": ["text/html", "<!doctype html><title>bench</title>"],
  "/ours.js": ["text/javascript", bundle.outputFiles[0].text],
  "/snarkjs.js": ["text/javascript", readFileSync(new URL("node_modules/snarkjs/build/snarkjs.min.js", import.meta.url))],
};
const server = createServer((request, response) => {
  const [type, content] = files[request.url] ?? ["text/plain", ""];
  response.setHeader("content-type", type);
  response.end(content);
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const profile = mkdtempSync(join(tmpdir(), "zkmargin-bench-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

/** A fresh page with one script: the time of the first call, and the median and the least of the others, in milliseconds. */
async function timed(script, run, argument) {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.addScriptTag({ url: script });
  const times = await page.evaluate(run, { ...argument, rounds: ROUNDS });
  await page.close();
  const rest = times.slice(1).sort((a, b) => a - b);
  return { first: times[0], median: rest[Math.floor(rest.length / 2)], least: rest[0] };
}

async function ours({ statement, program, proof, rounds }) {
  const v = globalThis.verifier;
  const times = [];
  for (let k = 0; k < rounds; k++) {
    const start = performance.now();
    const about = v.readStatement(v.parseJson(statement, "statement"), "statement");
    const document = v.readProofDocument(v.parseJson(proof, "proof"), "proof");
    v.verifyProof(about, v.readProgram(v.fromHex(program), "program"), document.proof);
    times.push(performance.now() - start);
  }
  return times;
}

async function theirs({ key, signals, proof, rounds }) {
  const times = [];
  for (let k = 0; k < rounds; k++) {
    const start = performance.now();
    if (!(await globalThis.snarkjs.groth16.verify(key, signals, proof))) throw new Error("the proof is refused");
    times.push(performance.now() - start);
  }
  return times;
}

try {
  const given = {
    statement: readFileSync(statement, "utf8"),
    program: readFileSync(program).toString("hex"),
    proof: readFileSync(proof, "utf8"),
  };
  const results = {
    "margin proof, from its files": await timed("/ours.js", ours, given),
    "Groth16 on BN254, snarkjs": await timed("/snarkjs.js", theirs, groth16("bn128", bn254)),
    "Groth16 on BLS12-381, snarkjs": await timed("/snarkjs.js", theirs, groth16("bls12381", bls12_381)),
  };
  process.stdout.write(`${JSON.stringify(results)}\n`);
} finally {
  await browser.close();
  server.close();
  rmSync(profile, { recursive: true, force: true });
}
