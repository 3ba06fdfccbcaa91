import { MusterError } from '@muster/base';
import { type KubeObject, identityOf, keyOf, keyString } from '@muster/kube';

/** What one source of an Application renders to. */
export interface Part {
  /** `spec.sources[1]`. */
  where: string;
  objects: readonly KubeObject[];
}

export interface Combined {
  objects: KubeObject[];
  /** What more than one source has, in Argo CD's words. */
  repeated: string[];
  /** Whether the destination's namespace decided anything. */
  usedNamespace: boolean;
}

const MAX_OBJECTS = 50_000;

/**
 * The objects of all sources together. Of an object that more than one has, the last source's counts, as in Argo CD; one
 * without a namespace is the same as one in the destination's. Throws `limit` for more objects than are allowed.
 */
export function combine(parts: readonly Part[], namespace: string): Combined {
  const placed = new Set(
    parts.flatMap(({ objects }) =>
      objects.filter(({ metadata }) => metadata.namespace).map((object) => identityIn(object, '')),
    ),
  );
  const kept = new Map<string, { object: KubeObject; places: string[] }>();
  const unnamed: KubeObject[] = [];
  let usedNamespace = false;
  for (const { where, objects } of parts)
    for (const object of objects) {
      if (!object.metadata.name) {
        unnamed.push(object);
        continue;
      }
      const undecided = !object.metadata.namespace && placed.has(identityOf(object));
      usedNamespace ||= undecided;
      const identity = undecided ? identityIn(object, namespace) : identityOf(object);
      const before = kept.get(identity);
      kept.set(identity, { object, places: [...(before?.places ?? []), where] });
    }
  const total = kept.size + unnamed.length;
  if (total > MAX_OBJECTS)
    throw new MusterError('limit', `${total} objects, more than the ${MAX_OBJECTS} allowed`);
  return {
    objects: [...[...kept.values()].map(({ object }) => object), ...unnamed],
    repeated: [...kept.values()]
      .filter(({ places }) => places.length > 1)
      .map(({ object, places }) => repeatedNotice(object, places))
      .sort(),
    usedNamespace,
  };
}

function identityIn(object: KubeObject, namespace: string): string {
  return keyString({ ...keyOf(object), namespace });
}

function repeatedNotice(object: KubeObject, places: readonly string[]): string {
  const { group, kind, name, namespace: own } = keyOf(object);
  const shown = `${group}/${kind}/${own}/${name}`;
  return `Resource ${shown} appeared ${places.length} times among application resources (${places.join(' and ')}); the last one counts`;
}

/** Whether a notice of a render is about an object that is there more than once. */
export function isRepeated(notice: string): boolean {
  return notice.startsWith('Resource ') || notice.includes(' is written more than once (');
}
