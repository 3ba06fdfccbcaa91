import { randomInt } from 'node:crypto';
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** As much of a secret as may not be seen anywhere, in characters. */
const PART = 12;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 36;

/** A secret that was found where none may be. */
export interface Leak {
  /** The name under which it was planted. */
  planted: string;
  form: 'plain' | 'base64' | 'hex';
  /** What stands around it. */
  around: string;
}

/**
 * Secrets that are planted, one for each place, and searched for: plain (letters and digits only, so that an escape
 * changes nothing), as base64 in all three alignments, twice encoded, and as hex; a part of twelve characters is enough.
 */
export class Canaries {
  readonly #planted = new Map<string, string>();
  readonly #parts: Record<Leak['form'], Map<string, string>> = {
    plain: new Map(),
    base64: new Map(),
    hex: new Map(),
  };

  /** A new secret; the same name answers the same one. */
  plant(name: string): string {
    const known = this.#planted.get(name);
    if (known) return known;
    const secret = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
    this.#planted.set(name, secret);
    this.add(name, secret);
    return secret;
  }

  /** Searches for a secret that was made elsewhere too, such as a token. */
  add(name: string, secret: string): string {
    if (secret.length < PART) throw new Error(`${name} is too short to be searched for`);
    const bytes = Buffer.from(secret);
    this.#addParts('plain', name, secret, PART);
    this.#addParts('hex', name, bytes.toString('hex'), 2 * PART);
    for (let shift = 0; shift < 3; shift++) {
      const once = encoded(bytes, shift);
      this.#addParts('base64', name, once, (PART / 3) * 4);
      // Data of a Secret inside of data of a Secret.
      for (let again = 0; again < 3; again++)
        this.#addParts('base64', name, encoded(Buffer.from(once), again), (PART / 3) * 4);
    }
    return secret;
  }

  get names(): string[] {
    return [...this.#planted.keys()];
  }

  /** Where secrets are in a text: the first place of each secret and form. */
  in(text: string): Leak[] {
    const leaks = new Map<string, Leak>();
    for (const form of ['plain', 'base64', 'hex'] as const) {
      const parts = this.#parts[form];
      const length = form === 'plain' ? PART : form === 'hex' ? 2 * PART : (PART / 3) * 4;
      for (let at = 0; at + length <= text.length; at++) {
        const planted = parts.get(text.slice(at, at + length));
        if (planted === undefined || leaks.has(`${form} ${planted}`)) continue;
        const around = text.slice(Math.max(0, at - 200), at + length + 60);
        leaks.set(`${form} ${planted}`, { planted, form, around });
      }
    }
    return [...leaks.values()];
  }

  /** The same in bytes, and in what is compressed inside of them. */
  inBytes(bytes: Buffer): Leak[] {
    const leaks = this.in(bytes.toString('latin1'));
    for (const plain of decompressed(bytes)) leaks.push(...this.in(plain.toString('latin1')));
    return leaks;
  }

  /** The same in a row of PostgreSQL as text, and in what its bytes hold. */
  inRow(row: string): Leak[] {
    const bytes = [...row.matchAll(/\\x([0-9a-f]{24,})/g)].map((match) => Buffer.from(match[1]!, 'hex'));
    return [...this.in(row), ...bytes.flatMap((each) => this.inBytes(each))];
  }

  #addParts(form: Leak['form'], name: string, text: string, length: number): void {
    for (let at = 0; at + length <= text.length; at++)
      this.#parts[form].set(text.slice(at, at + length), name);
  }
}

/** Base64 of the bytes after so many others, without the letters that those have a share in. */
function encoded(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  return text.slice(shift === 0 ? 0 : 4, Math.floor((bytes.length + shift) / 3) * 4);
}

const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const GZIP = Buffer.from([0x1f, 0x8b]);

/** What the bytes are, or hold, in compressed form. */
function* decompressed(bytes: Buffer): Generator<Buffer> {
  for (const [magic, open] of [
    [ZSTD, zstdDecompressSync],
    [GZIP, gunzipSync],
  ] as const) {
    const at = bytes.indexOf(magic);
    if (at >= 0) yield* attempt(() => open(bytes.subarray(at)));
  }
  yield* attempt(() => inflateSync(bytes));
  yield* attempt(() => brotliDecompressSync(bytes));
}

function attempt(open: () => Buffer): Buffer[] {
  try {
    return [open()];
  } catch {
    return [];
  }
}
