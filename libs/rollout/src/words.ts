/** A time as people read it in a terminal: UTC, to the second. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Some names of many: `a, b, c and 7 more`. */
export function someOf(names: readonly string[], shown = 3): string {
  const rest = names.length - shown;
  return names.slice(0, shown).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

const NAMED = 5;

/** `Deployment shop/web` of `apps/Deployment/shop/web`. */
export function objectText(identity: string): string {
  const [, kind, namespace, name] = identity.split('/');
  return `${kind} ${namespace ? `${namespace}/` : ''}${name}`;
}

/** `removes 3 objects: Deployment shop/x, …`; of the objects' identities. */
export function removalText({ count, names }: { count: number; names: readonly string[] }): string {
  const objects = names.slice(0, NAMED).map(objectText);
  const rest = count - objects.length;
  const more = rest > 0 ? ` and ${rest} more` : '';
  return `removes ${count} ${count === 1 ? 'object' : 'objects'}: ${objects.join(', ')}${more}`;
}
