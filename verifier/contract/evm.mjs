// An EVM in this process (ethereumjs, with noble's curves), for tests: one JSON request a line, one answer a line.
//   {"timestamp": 1}                            the next blocks' time
//   {"data": "0x..", "from": "0x.."}            creates a contract     -> {"address", "gas"} or {"error", "data"}
//   {"to": "0x..", "data": "0x..", "from"}      executes a call        -> {"data", "gas", "logs"} or {"error", "data"}
//   with "static": true nothing of it stays
// Gas is what the code used, without what a transaction costs by itself.
import { createInterface } from "node:readline";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { createEVM } from "@ethereumjs/evm";
import { SimpleStateManager } from "@ethereumjs/statemanager";
import { Account, bytesToHex, createAddressFromString, hexToBytes } from "@ethereumjs/util";
import { bls12_381 } from "@noble/curves/bls12-381.js";

const [tau, chainId] = process.argv.slice(2);
const G1 = bls12_381.G1.Point;
const G2 = bls12_381.G2.Point;
const TAU = G2.fromHex(tau);

// EIP-4844: e(C - y G, [1]) = e(proof, [tau - z])
function verifyProof(commitment, z, y, proof) {
  const point = (hex) => {
    const p = G1.fromHex(hex.slice(2));
    p.assertValidity();
    return p;
  };
  const scalar = (hex) => {
    const value = BigInt(hex);
    if (value >= bls12_381.fields.Fr.ORDER) throw new Error("C_KZG_BADARGS");
    return value;
  };
  const times = (base, by) => (by === 0n ? base.subtract(base) : base.multiply(by));
  const C = point(commitment).subtract(times(G1.BASE, scalar(y)));
  const W = point(proof);
  const right = TAU.subtract(times(G2.BASE, scalar(z)));
  const pairs = [
    { g1: C.negate(), g2: G2.BASE },
    { g1: W, g2: right },
  ].filter(({ g1, g2 }) => !g1.is0() && !g2.is0());
  return bls12_381.fields.Fp12.eql(bls12_381.pairingBatch(pairs), bls12_381.fields.Fp12.ONE);
}

const common = new Common({
  chain: { ...Mainnet, chainId: Number(chainId) },
  hardfork: Hardfork.Prague,
  customCrypto: { kzg: { verifyProof } },
});
const stateManager = new SimpleStateManager({ common });
const evm = await createEVM({ common, stateManager });
let timestamp = 1n;

async function answer(request) {
  if (request.timestamp !== undefined) timestamp = BigInt(request.timestamp);
  if (request.data === undefined) return {};
  const caller = createAddressFromString(request.from);
  const account = (await stateManager.getAccount(caller)) ?? new Account();
  const header = {
    number: 1n,
    coinbase: caller,
    timestamp,
    difficulty: 0n,
    prevRandao: new Uint8Array(32),
    gasLimit: 1n << 40n,
    baseFeePerGas: 7n,
    getBlobGasPrice: () => 1n,
  };
  await stateManager.checkpoint();
  account.nonce += request.to ? 0n : 1n;
  await stateManager.putAccount(caller, account);
  const { execResult, createdAddress } = await evm.runCall({
    to: request.to ? createAddressFromString(request.to) : undefined,
    caller,
    origin: caller,
    data: hexToBytes(request.data),
    gasLimit: 60_000_000n,
    block: { header },
  });
  const failed = execResult.exceptionError;
  if (failed || request.static) await stateManager.revert();
  else await stateManager.commit();
  const data = bytesToHex(execResult.returnValue);
  if (failed) return { error: String(failed.error), data };
  const logs = (execResult.logs ?? []).map(([address, topics, body]) => ({
    address: bytesToHex(address),
    topics: topics.map(bytesToHex),
    data: bytesToHex(body),
  }));
  return { data, gas: Number(execResult.executionGasUsed), address: createdAddress?.toString(), logs };
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = await answer(JSON.parse(line));
  } catch (error) {
    reply = { error: String(error?.stack ?? error), data: "0x" };
  }
  process.stdout.write(JSON.stringify(reply) + "\n");
}
