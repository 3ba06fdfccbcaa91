import { MusterError } from '@muster/base';

/**
 * The folder of a render's tree in which the sources that it refers to are, each by its ref. No tool lists it: only
 * paths that begin with `$ref` lead there.
 */
export const REFERENCES = '.muster-ref';

/** The path of a file of a referenced source, from the root of the tree. */
export function referencePath(ref: string, path: string): string {
  return `/${REFERENCES}/${ref}/${path}`;
}

const MOUNTED = /\/?\.muster-ref\/([a-zA-Z0-9_-]+)/g;

/** The error with paths of referenced sources as users write them: `$values/a.yaml`. */
export function withReferences(thrown: unknown): unknown {
  if (!(thrown instanceof MusterError)) return thrown;
  const shown = (text: string) => text.replaceAll(MOUNTED, '$$$1');
  const { message, where = '' } = thrown;
  if (shown(message) === message && shown(where) === where) return thrown;
  return new MusterError(thrown.code, shown(message), {
    ...(where === '' ? {} : { where: shown(where) }),
    ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
  });
}
