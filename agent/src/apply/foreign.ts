import {
  type KubeObject,
  type Tracker,
  describeKey,
  foreignOf,
  mayAdopt,
  ownerOf,
  parseKeyString,
  trackersOf,
} from '@muster/kube';
import type { Foreign } from '@muster/proto/records';
import type { ApiType } from '../kube/discovery.ts';
import type { LiveObject } from '../observe/live-object.ts';
import type { Application } from './application.ts';
import { type Cluster, pathOfObject } from './cluster.ts';
import type { Desired } from './desired.ts';

/** What stands in the cluster under the name of an object that an Application has not applied yet. */
export interface Standing {
  /** Its metadata; no more of it is read. */
  live: KubeObject;
  trackers: Tracker[];
  /** Who tracks it; undefined: nobody. */
  foreign: Foreign | undefined;
}

/** The metadata alone, where the API server can; it holds all that is to be known. */
const METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json';

/** Whether an object carries this Application's mark. */
export function isOwn(cluster: Cluster, app: Application, key: string): boolean {
  return cluster.index.get(key)?.owner === app.key;
}

/** Looks at what is there under the name of an object; undefined: nothing, or what carries Muster's marks. Throws KubeError. */
export async function lookAt(
  cluster: Cluster,
  app: Application,
  { object, type }: { object: KubeObject; type: ApiType | undefined },
  signal: AbortSignal,
): Promise<Standing | undefined> {
  if (!type || !object.metadata.name) return undefined;
  const impersonate = app.assignment.impersonate || undefined;
  const options = { accept: METADATA, impersonate, signal };
  const found = await cluster.client.find<KubeObject>(pathOfObject(type, object), options);
  if (!found) return undefined;
  const { apiVersion, kind } = object;
  const live = { apiVersion, kind, metadata: found.metadata };
  if (ownerOf(live)) return undefined;
  return { live, ...foreignTo(app, live, object) };
}

/**
 * Who tracks a live object that carries no mark of this Application; one of another Application is not foreign. Without
 * what is wanted of it only marks count that the tool itself wrote.
 */
export function foreignTo(
  app: Application,
  live: KubeObject,
  object?: KubeObject,
): Pick<Standing, 'trackers' | 'foreign'> {
  const trackers = ownerOf(live) ? [] : trackersOf(live, object);
  const found = foreignOf(trackers);
  const adopting = mayAdopt(trackers, app.assignment.adopt);
  return { trackers, foreign: found && { ...found, adopting, shared: false } };
}

/** Who tracks an object of this Application too, by marks that the tool itself wrote; undefined: nobody. */
export function sharedWith({ sharedWith: found }: LiveObject): Foreign | undefined {
  return found && { ...found, adopting: false, shared: true };
}

/** What to say of an object that another tool tracks. */
export function foreignText({ tool, by, adopting, shared }: Foreign): string {
  if (shared) return `tracked by ${by} too`;
  if (adopting) return `tracked by ${by}: the next sync takes it over`;
  return `tracked by ${by}: not touched unless the Application says muster.dev/adopt: ${tool}`;
}

/** The condition that names what is left alone, and what is shared; '' where nothing is. */
export function foreignCondition(app: Application): string {
  const alone: string[] = [];
  const shared: string[] = [];
  const tools = new Set<string>();
  for (const { key, foreign } of app.resources.values()) {
    if (!foreign || (foreign.adopting && !foreign.shared)) continue;
    const name = parseKeyString(key);
    (foreign.shared ? shared : alone).push(`${name ? describeKey(name) : key} (${foreign.by})`);
    tools.add(foreign.tool);
  }
  const texts: string[] = [];
  const hint = `muster.dev/adopt: ${tools.size === 1 ? [...tools][0] : 'any'}`;
  if (alone.length > 0)
    texts.push(
      `not touched, as another tool tracks it: ${some(alone)}; ${hint} on the Application takes over`,
    );
  if (shared.length > 0) texts.push(`another tool tracks it too, so both may write it: ${some(shared)}`);
  return texts.join('; ');
}

function some(names: readonly string[]): string {
  const more = names.length > 5 ? `, and ${names.length - 5} more` : '';
  return `${names.slice(0, 5).join(', ')}${more}`;
}

/** The wanted objects that are another tool's, and left alone. */
export function isLeftAlone(app: Application, { key }: Pick<Desired, 'key'>): boolean {
  const foreign = app.resources.get(key)?.foreign;
  return foreign !== undefined && !foreign.adopting && !foreign.shared;
}
