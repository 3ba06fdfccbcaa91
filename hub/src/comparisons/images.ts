import { type KubeObject, identityOf, redactText } from '@muster/kube';

/** The image of one container, or what became of it; `before` or `after` is missing where the container comes or goes. */
export interface ContainerImage {
  kind: string;
  namespace: string;
  name: string;
  container: string;
  init: boolean;
  before?: string;
  after?: string;
}

interface Found extends Omit<ContainerImage, 'before' | 'after'> {
  image: string;
}

const LISTS = [
  ['initContainers', true],
  ['containers', false],
] as const;

/** The containers whose image is another, of all workloads. Pairs are of the same object in two versions. */
export function imageChanges(
  pairs: Iterable<readonly [KubeObject | undefined, KubeObject | undefined]>,
  secrets: ReadonlySet<string>,
): ContainerImage[] {
  const changes: ContainerImage[] = [];
  for (const [before, after] of pairs) {
    const old = imagesByContainer(before);
    const now = imagesByContainer(after);
    for (const key of new Set([...old.keys(), ...now.keys()])) {
      const [was, is] = [old.get(key), now.get(key)];
      if (was?.image === is?.image) continue;
      const { image: _image, ...container } = (is ?? was)!;
      changes.push({
        ...container,
        ...(was ? { before: redactText(was.image, secrets) } : {}),
        ...(is ? { after: redactText(is.image, secrets) } : {}),
      });
    }
  }
  return changes;
}

/** The images that objects run, each once, in order. */
export function imagesOf(objects: Iterable<KubeObject>, secrets: ReadonlySet<string>): string[] {
  const all = [...objects].flatMap((object) => containersOf(object).map(({ image }) => image));
  return [...new Set(all)].map((image) => redactText(image, secrets)).sort();
}

function imagesByContainer(object: KubeObject | undefined): Map<string, Found> {
  if (!object) return new Map();
  return new Map(containersOf(object).map((one) => [`${one.init} ${one.container}`, one]));
}

function containersOf(object: KubeObject): Found[] {
  const spec = podSpecOf(object);
  if (!spec) return [];
  const { kind, metadata } = object;
  const about = { kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
  return LISTS.flatMap(([list, init]) =>
    arrayOf(spec[list]).flatMap((entry): Found[] => {
      const { name, image } = entry as { name?: unknown; image?: unknown };
      if (typeof image !== 'string') return [];
      return [{ ...about, container: String(name ?? ''), init, image }];
    }),
  );
}

/** Where pods are described: a pod's own spec, a template's, a CronJob's; of any kind that has it there. */
function podSpecOf({ kind, spec }: KubeObject): Record<string, unknown> | undefined {
  if (!isObject(spec)) return undefined;
  if (kind === 'Pod') return spec;
  for (const path of [
    ['template', 'spec'],
    ['jobTemplate', 'spec', 'template', 'spec'],
  ]) {
    let at: unknown = spec;
    for (const field of path) at = isObject(at) ? at[field] : undefined;
    if (isObject(at)) return at;
  }
  return undefined;
}

function arrayOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Objects of two renders that are to be compared with each other. `loosely`: what has no counterpart of its own identity
 * is paired with the only one of its kind and name, in whatever namespace: environments have namespaces of their own.
 */
export function pairObjects(
  before: readonly KubeObject[],
  after: readonly KubeObject[],
  loosely: boolean,
): [KubeObject | undefined, KubeObject | undefined][] {
  const old = new Map(before.map((object) => [identityOf(object), object]));
  const now = new Map(after.map((object) => [identityOf(object), object]));
  const pairs: [KubeObject | undefined, KubeObject | undefined][] = [];
  for (const [key, object] of now) {
    const counterpart = old.get(key);
    if (!counterpart) continue;
    pairs.push([counterpart, object]);
    old.delete(key);
    now.delete(key);
  }
  if (loosely) {
    const [left, right] = [onlyOnes([...old.values()]), onlyOnes([...now.values()])];
    for (const [key, object] of right) {
      const counterpart = left.get(key);
      if (!counterpart) continue;
      pairs.push([counterpart, object]);
      old.delete(identityOf(counterpart));
      now.delete(identityOf(object));
    }
  }
  for (const object of old.values()) pairs.push([object, undefined]);
  for (const object of now.values()) pairs.push([undefined, object]);
  const keyOfPair = ([a, b]: (typeof pairs)[number]) => identityOf((b ?? a)!);
  return pairs.sort((a, b) => (keyOfPair(a) < keyOfPair(b) ? -1 : 1));
}

/** By kind and name, those of which there is one only. */
function onlyOnes(objects: readonly KubeObject[]): Map<string, KubeObject> {
  const found = new Map<string, KubeObject | undefined>();
  for (const object of objects) {
    const key = `${object.apiVersion.split('/').slice(0, -1).join('/')}/${object.kind}/${object.metadata.name ?? ''}`;
    found.set(key, found.has(key) ? undefined : object);
  }
  return new Map([...found].flatMap(([key, object]) => (object ? [[key, object] as const] : [])));
}
