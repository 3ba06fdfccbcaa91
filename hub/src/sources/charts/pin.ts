import { parseVersion } from './versions.ts';

/** What a chart's revision is held at; kept where Git has its commit. */
export interface Pin {
  /** The chart, or the last part of a registry repository. */
  name: string;
  /** The version or tag; '' when only the digest was asked for. */
  version: string;
  /** `sha256:` and 64 hexadecimal digits: of the archive, or of the registry's manifest. */
  digest: string;
}

const PIN = /^([^:@/\s]+)(?::([^@\s]+))?@(sha256:[0-9a-f]{64})$/;

export function formatPin({ name, version, digest }: Pin): string {
  return `${name}${version === '' ? '' : `:${version}`}@${digest}`;
}

export function parsePin(text: string): Pin | undefined {
  const match = PIN.exec(text);
  return match ? { name: match[1]!, version: match[2] ?? '', digest: match[3]! } : undefined;
}

/** What becomes of a pin when upstream was looked at again. */
export type NextPin = { pin: Pin } | { pin: Pin; overwritten: Pin };

/**
 * A published version does not change: when its digest is another one than before, the pin stays until somebody accepts
 * what is there now. Another version, and a tag that is no version (`latest`), is followed.
 */
export function nextPin(before: Pin | undefined, found: Pin, accepted: string | undefined): NextPin {
  const same = before && before.name === found.name && before.version === found.version;
  if (!same || before.digest === found.digest || !parseVersion(found.version)) return { pin: found };
  return accepted === found.digest ? { pin: found } : { pin: before, overwritten: found };
}
