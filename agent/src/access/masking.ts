import { isRecord, redact } from '@muster/kube';
import type { DesiredState } from '../apply/desired.ts';

/** Takes out what secrets there may be in what leaves the cluster. */
export interface Masking {
  /** Without the values of Secrets, and without those of the Application's own Secrets wherever they stand. */
  object<T>(value: T): T;
  text(text: string): string;
}

/** Knows the values of the Secrets that the Application's own bundle holds; without a bundle, of none. */
export function maskingOf(desired: Pick<DesiredState, 'mask'> | undefined): Masking {
  const text = desired ? desired.mask : (plain: string) => plain;
  return { text, object: (value) => strings(redact(value), text) };
}

function strings<T>(value: T, text: (plain: string) => string): T {
  if (typeof value === 'string') return text(value) as T;
  if (Array.isArray(value)) return value.map((each) => strings(each, text)) as T;
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, strings(each, text)])) as T;
}
