/** An object as keys name it: `group/Kind/namespace/name`. */
export interface ObjectName {
  group: string;
  kind: string;
  namespace: string;
  name: string;
}

/** Reads a key; what is none (links are edited by hand) is undefined. */
export function readKey(key: string): ObjectName | undefined {
  const [group, kind, namespace, name, ...more] = key.split('/');
  if (group === undefined || !kind || namespace === undefined || !name || more.length > 0) return undefined;
  return { group, kind, namespace, name };
}

/** `namespace/name`, or the name of what has no namespace. */
export function placeOf({ namespace, name }: Pick<ObjectName, 'namespace' | 'name'>): string {
  return namespace ? `${namespace}/${name}` : name;
}
