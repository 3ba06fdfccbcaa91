import { canonicalJson, sha256 } from '@muster/base';
import type { KubeObject } from '@muster/kube';
import { LRUCache } from 'lru-cache';
import { makeBundle } from '../releases/bundle.ts';
import type { BundlesService, StoredRender } from '../releases/bundles.service.ts';
import { combine } from './combine.ts';
import type { Holding } from './render-group.ts';

/** An Application whose sources are rendered, one by one. */
export interface Several {
  id: string;
  /** Of the destination. */
  namespace: string;
  /** In the order of the sources. */
  parts: { where: string; holding: Holding }[];
}

type Bundles = Pick<BundlesService, 'renders' | 'objects' | 'store'>;

/** Finds or makes what several sources are together: once for each distinct list of bundles. */
export async function combineGroups(
  all: readonly Several[],
  bundles: Bundles,
  signal: AbortSignal,
): Promise<{ holdings: Map<string, Holding>; errors: Map<string, unknown> }> {
  const holdings = new Map<string, Holding>();
  const errors = new Map<string, unknown>();
  const groups = Map.groupBy(all, keyOf);
  const objects = objectsOf(bundles);
  const earlier = Map.groupBy(await bundles.renders([...groups.keys()]), (render) => render.baseKey);
  for (const [key, members] of groups) {
    const candidates = earlier.get(key) ?? [];
    for (const member of members) {
      signal.throwIfAborted();
      try {
        let found = candidates.find((one) => fits(one, member));
        if (!found) {
          found = await combineNew(key, member, objects, bundles);
          candidates.push(found);
        }
        holdings.set(member.id, holdingOf(found, member));
      } catch (thrown) {
        errors.set(member.id, thrown);
      }
    }
  }
  return { holdings, errors };
}

/** Equal for the same bundles in the same order, named alike. */
function keyOf({ parts }: Several): string {
  const list = parts.map(({ where, holding }) => [where, holding.bundleDigest]);
  return sha256(canonicalJson({ v: 1, combined: list }));
}

function fits({ asked }: StoredRender, { namespace }: Several): boolean {
  return asked.namespace === undefined || asked.namespace === namespace;
}

function holdingOf(found: StoredRender, { parts }: Several): Holding {
  const notices = parts.flatMap(({ where, holding }) => holding.notices.map((one) => named(one, where)));
  return {
    // Of the renders too: where one was made for other reasons, its commit counts.
    inputKey: sha256(canonicalJson([found.inputKey, ...parts.map(({ holding }) => holding.inputKey)])),
    bundleDigest: found.bundleDigest,
    plainSize: found.plainSize,
    notices: [...new Set([...notices, ...found.notices])].sort(),
  };
}

/** Notices of one source say which, unless how they begin is looked at. */
function named(notice: string, where: string): string {
  return notice.startsWith('hook left out') ? notice : `${notice} (${where})`;
}

async function combineNew(
  key: string,
  { namespace, parts }: Several,
  objectsIn: (digest: string) => Promise<KubeObject[]>,
  bundles: Bundles,
): Promise<StoredRender> {
  const read = [];
  for (const { where, holding } of parts)
    read.push({ where, objects: await objectsIn(holding.bundleDigest) });
  const { objects, repeated, usedNamespace } = combine(read, namespace);
  const bundle = makeBundle(objects);
  const asked = usedNamespace ? { namespace } : {};
  const render = {
    inputKey: sha256(canonicalJson({ key, asked })),
    baseKey: key,
    bundleDigest: bundle.digest,
    reads: { files: {}, dirs: {}, absent: [] },
    asked,
    notices: repeated,
  };
  const digests = parts.map(({ holding }) => holding.bundleDigest);
  await bundles.store(bundle, render, digests);
  return { ...render, plainSize: BigInt(bundle.plainSize) };
}

/** Opened bundles that are kept: what many Applications share is opened once. */
const OPEN = 8;

function objectsOf(bundles: Bundles): (digest: string) => Promise<KubeObject[]> {
  const open = new LRUCache<string, KubeObject[]>({ max: OPEN });
  return async (digest) => {
    const found = open.get(digest) ?? (await bundles.objects(digest));
    open.set(digest, found);
    return found;
  };
}
