import { MusterError } from '@muster/base';
import { type KubeObject, isRecord, keyString, part } from '@muster/kube';
import type { LogsQuery, ObjectReference } from '@muster/proto/records';
import type { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import { mayLook } from '../apply/power.ts';
import { KubeError } from '../kube/errors.ts';
import { below } from './events.ts';
import { type From, type Source, followPods } from './follow.ts';
import { findBelonging } from './lineage.ts';
import { LineSplitter } from './lines.ts';
import type { Masking } from './masking.ts';
import { readTree } from './tree.ts';

/** One line of a container. */
export interface LogLine {
  pod: string;
  namespace: string;
  container: string;
  /** RFC 3339; '' where the runtime gave none. */
  time: string;
  text: string;
  /** Said by the agent, not by the container. */
  note?: true;
}

/** Containers that are read for one ask. */
const MAX_STREAMS = 20;
const DEFAULT_TAIL = 200;
export const MAX_TAIL = 10_000;
/** Longer lines are cut. */
const MAX_LINE = 16 * 1024;

/**
 * Tells the lines of the containers that were asked for: one container after the other, or as they come where they are
 * followed; of what owns Pods also those of Pods that come later. Lines of a batch are whole. Known values of the Application's own Secrets are masked; what else an
 * application writes into its log is shown as it is.
 *
 * @returns why some of it was left out, in words; '' when nothing was.
 */
export async function readLogs(
  cluster: Cluster,
  app: Application,
  query: LogsQuery,
  masking: Masking,
  { tell, signal }: { tell(lines: LogLine[]): Promise<void>; signal: AbortSignal },
): Promise<string> {
  const { sources, owner, namespaces } = await sourcesOf(cluster, app, query, signal);
  if (query.follow && namespaces) {
    const read = async (source: Source, from: From, until: AbortSignal) => {
      try {
        return await readOne(cluster, app, query, source, masking, { tell, signal: until }, from);
      } catch (thrown) {
        if (thrown instanceof KubeError && thrown.status === 403) throw refused(source, thrown);
        throw thrown;
      }
    };
    const say = (source: Source, text: string) =>
      tell([{ ...source, time: '', text: masking.text(text), note: true }]);
    const containers = (pod: KubeObject) => containersOf(pod, query.container, true);
    const reading = { read, say, signal, containersOf: containers };
    return followPods(cluster, app, { owner, namespaces, most: MAX_STREAMS }, reading);
  }
  const chosen = sources.slice(0, MAX_STREAMS);
  const failures: string[] = [];
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const one = async (source: Source) => {
    try {
      await readOne(cluster, app, query, source, masking, { tell, signal: either });
    } catch (thrown) {
      either.throwIfAborted();
      // What cannot be told any more concerns all of them, what cannot be read one.
      if (!(thrown instanceof KubeError)) throw thrown;
      if (chosen.length === 1) throw refused(source, thrown);
      failures.push(`${source.pod} (${source.container}): ${thrown.message}`);
    }
  };
  try {
    if (query.follow) await Promise.all(chosen.map(one));
    else for (const source of chosen) await one(source);
  } finally {
    stop.abort();
  }
  if (failures.length === chosen.length)
    throw new MusterError('unavailable', `no log could be read: ${failures.slice(0, 3).join('; ')}`);
  const left = sources.length - chosen.length;
  if (left > 0) failures.unshift(`only ${MAX_STREAMS} of ${sources.length} containers were read`);
  return failures.slice(0, 5).join('; ');
}

/** What is read: of what owns Pods also where others may come, and what they would belong to. */
interface Asked {
  sources: Source[];
  owner?: ObjectReference;
  namespaces?: string[];
}

async function sourcesOf(
  cluster: Cluster,
  app: Application,
  query: LogsQuery,
  signal: AbortSignal,
): Promise<Asked> {
  const { object: reference } = query;
  if (reference?.kind === 'Pod' && reference.group === '') {
    const found = await findBelonging(cluster, app, reference, signal);
    if (!found)
      throw new MusterError('not-found', `there is no Pod ${reference.namespace}/${reference.name}`);
    return { sources: containersOf(found.object, query.container) };
  }
  const owner = reference && (await findBelonging(cluster, app, reference, signal));
  if (reference && !owner)
    throw new MusterError('not-found', `there is no ${reference.kind} ${reference.name}`);
  const { nodes } = await readTree(cluster, app, signal);
  const concerned = reference ? below(nodes, keyString(reference)) : nodes;
  const pods = concerned.filter(({ group, kind }) => group === '' && kind === 'Pod');
  const what = reference ? `${reference.kind} ${reference.name}` : `Application ${app.key}`;
  if (pods.length === 0) throw new MusterError('not-found', `the ${what} has no Pods`);
  const sources: Source[] = [];
  const newest = [...pods].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const impersonate = app.assignment.impersonate || undefined;
  for (const { namespace, name } of newest) {
    // More than enough are known: the rest only counts.
    if (sources.length >= MAX_STREAMS) {
      sources.push({ namespace, pod: name, container: '' });
      continue;
    }
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
    const pod = await cluster.client.find(path, { signal, impersonate });
    if (pod) sources.push(...containersOf(pod, query.container, true));
  }
  if (sources.length === 0)
    throw new MusterError('not-found', `no Pod of the ${what} has a container ${query.container}`);
  const namespaces = [...new Set(concerned.map(({ namespace }) => namespace))].filter(
    (each) => each !== '' && mayLook(cluster.power, each),
  );
  if (!reference) return { sources, namespaces };
  return { sources, namespaces, owner: { ...reference, uid: owner!.object.metadata.uid ?? '' } };
}

/** The containers of a Pod that are asked for; none of that name is an error, or passed over where there are other Pods. */
function containersOf(pod: KubeObject, asked: string, lenient = false): Source[] {
  const { namespace = '', name = '', annotations } = pod.metadata;
  const names = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((list) => {
    const each = part(pod, 'spec', list);
    return Array.isArray(each) ? each.filter(isRecord).map((one) => String(one.name)) : [];
  });
  const source = (container: string) => ({ namespace, pod: name, container });
  if (asked === '*') return names.map(source);
  const preferred = annotations?.['kubectl.kubernetes.io/default-container'];
  const wanted = asked || (preferred && names.includes(preferred) ? preferred : names[0]);
  if (wanted && names.includes(wanted)) return [source(wanted)];
  if (lenient) return [];
  throw new MusterError('not-found', `the Pod ${name} has no container ${asked}`, {
    hint: `it has ${names.join(', ')}`,
  });
}

async function readOne(
  cluster: Cluster,
  app: Application,
  query: LogsQuery,
  { namespace, pod, container }: Source,
  masking: Masking,
  { tell, signal }: { tell(lines: LogLine[]): Promise<void>; signal: AbortSignal },
  { whole, after }: From = { whole: false, after: '' },
): Promise<string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
  const body = await cluster.client.openStream(path, {
    query: {
      container,
      timestamps: true,
      follow: query.follow || undefined,
      previous: query.previous || undefined,
      tailLines: whole || after ? MAX_TAIL : Math.min(query.tailLines || DEFAULT_TAIL, MAX_TAIL),
      sinceSeconds: after ? undefined : query.sinceSeconds || undefined,
      sinceTime: after || undefined,
    },
    signal,
    impersonate: app.assignment.impersonate || undefined,
  });
  const splitter = new LineSplitter(MAX_LINE);
  let last = after;
  const tellAll = async (texts: string[]) => {
    const lines = texts.map((text) => lineOf({ namespace, pod, container }, text, masking));
    // Whole seconds are asked for: what was told of that one already is not told again.
    const later = after ? lines.filter(({ time }) => sortable(time) > sortable(after)) : lines;
    if (later.length > 0) await tell(later);
    last = later.findLast(({ time }) => time !== '')?.time ?? last;
  };
  // Reading waits for telling, and so does the API server: nothing piles up here.
  for await (const chunk of body) {
    const complete = splitter.push(chunk as Buffer);
    if (complete.length > 0) await tellAll(complete);
  }
  const rest = splitter.end();
  if (rest.length > 0) await tellAll(rest);
  return last;
}

/** The runtime writes the time before each line. */
function lineOf(source: Source, line: string, masking: Masking): LogLine {
  const match = /^(\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)) ?/.exec(line);
  const text = match ? line.slice(match[0].length) : line;
  return { ...source, time: match?.[1] ?? '', text: masking.text(text) };
}

/** Runtimes write as many digits of a second as they like. */
function sortable(time: string): string {
  const [, second = time, digits = ''] = /^([^.Z+]*)\.?(\d*)/.exec(time) ?? [];
  return `${second}.${digits.padEnd(9, '0')}`;
}

function refused({ pod, container }: Source, thrown: KubeError): MusterError {
  if (thrown.status === 403)
    return new MusterError('forbidden', 'the agent may not read logs in this cluster', {
      hint: 'its chart: access.logs',
      cause: thrown,
    });
  return new MusterError(thrown.code, `the log of ${pod} (${container}) cannot be read: ${thrown.message}`, {
    cause: thrown,
  });
}
