/** EIP-712 over this product's structs (spec, signatures, section 2). */

import { keccak_256 } from "@noble/hashes/sha3.js";
import { concat, fromHex, toBytes, utf8 } from "./bytes.js";

type Value = string | bigint | boolean | Uint8Array | readonly Uint8Array[] | readonly Message[];
export type Message = { readonly [name: string]: Value };

/** A struct: its name, its members in order as [type, name], and the struct that a member is an array of. */
export interface Struct {
  readonly name: string;
  readonly members: readonly (readonly [type: string, name: string])[];
  readonly part?: Struct;
}

/** Chain and contract that a signature is for. */
export interface SigningDomain {
  readonly chainId: bigint;
  readonly verifyingContract: string;
}

const WORD = 32;
const DOMAIN: Struct = {
  name: "EIP712Domain",
  members: [
    ["string", "name"],
    ["string", "version"],
    ["uint256", "chainId"],
    ["address", "verifyingContract"],
  ],
};

/** What is signed: 32 bytes. */
export function typedDigest(domain: SigningDomain, struct: Struct, message: Message): Uint8Array {
  const separator = structHash(DOMAIN, { name: "zkmargin", version: "1", ...domain });
  return keccak_256(concat(Uint8Array.of(0x19, 0x01), separator, structHash(struct, message)));
}

/** Name(type name,..), followed by that of the struct that it refers to. */
export function encodedType(struct: Struct): string {
  const own = `${struct.name}(${struct.members.map((member) => member.join(" ")).join(",")})`;
  return own + (struct.part ? encodedType(struct.part) : "");
}

function structHash(struct: Struct, message: Message): Uint8Array {
  const words = struct.members.map(([type, name]) => word(type, message[name] as Value, struct));
  return keccak_256(concat(keccak_256(utf8(encodedType(struct))), ...words));
}

function word(type: string, value: Value, struct: Struct): Uint8Array {
  switch (type) {
    case "string":
      return keccak_256(utf8(value as string));
    case "bytes":
      return keccak_256(value as Uint8Array);
    case "bytes32":
      return exactly(value as Uint8Array);
    case "bytes32[]":
      return keccak_256(concat(...(value as readonly Uint8Array[]).map(exactly)));
    case "address":
      return concat(new Uint8Array(WORD - 20), fromHex((value as string).slice(2)));
    case "bool":
      return toBytes(value ? 1n : 0n, WORD);
    case `${struct.part?.name}[]`:
      return keccak_256(
        concat(...(value as readonly Message[]).map((message) => structHash(struct.part as Struct, message))),
      );
    default:
      return toBytes(value as bigint, WORD);
  }
}

function exactly(value: Uint8Array): Uint8Array {
  if (value.length !== WORD) throw new RangeError(`a bytes32 has ${WORD} bytes, not ${value.length}`);
  return value;
}
