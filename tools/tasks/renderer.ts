import { buildRenderer } from '@muster/renderer';

/** Builds the renderer from Go where it is not cached yet; answers its path. */
export function ensureRenderer(): Promise<string> {
  return buildRenderer({ log: console.error });
}
