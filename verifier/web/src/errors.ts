/** The two ways in which a verification ends badly: input that cannot be used, and a proof that shows nothing. */

/** Input that cannot be used: names the file, the field, the value and what to do. */
export class InputError extends Error {
  constructor(
    readonly where: string,
    readonly field: string,
    readonly value: unknown,
    readonly remedy: string,
  ) {
    super(`${where}: ${field}: ${shown(value)}: ${remedy}`);
    this.name = "InputError";
  }
}

/** A proof, signature or document that does not show what it should; `code` is stable, for programs. */
export class VerificationError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(`${code}: ${message}`);
    this.name = "VerificationError";
  }
}

/** A finding that is told as it is, without quotes. */
export class Finding {
  constructor(readonly text: string) {}
}

const LONGEST_SHOWN = 80;

function shown(value: unknown): string {
  if (value instanceof Finding) return value.text;
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}...`;
}
