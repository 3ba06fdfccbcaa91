import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeObject, isRecord, part } from '@muster/kube';
import type { ObjectReference } from '@muster/proto/records';
import type { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import { KubeError } from '../kube/errors.ts';
import { pathOf } from '../kube/objects.ts';
import { containerState } from './container-state.ts';
import { type FoundPod, PodFinder } from './pod-finder.ts';

/** One container of a Pod. */
export interface Source {
  namespace: string;
  pod: string;
  container: string;
}

/** How much of a container is read before it is followed. */
export interface From {
  /** From its beginning: it came while others were followed. */
  whole: boolean;
  /** Only what is later than this line's time: the stream broke off there. */
  after: string;
}

/** What following asks of whoever reads. */
export interface Reading {
  /** Reads one container to the end of its stream; answers the time of its last line. Throws KubeError. */
  read(source: Source, from: From, signal: AbortSignal): Promise<string>;
  /** The containers of a Pod that are asked for. */
  containersOf(pod: KubeObject): Source[];
  /** Tells what no container said: who joined, who is gone. */
  say(source: Source, text: string): Promise<void>;
  signal: AbortSignal;
}

export interface Follow {
  /** What owns the Pods, with its UID; undefined: the whole Application. */
  owner: ObjectReference | undefined;
  namespaces: readonly string[];
  /** Containers that are read at once. */
  most: number;
  /** Between two looks at which Pods there are. */
  everyMs?: number;
}

interface Followed {
  source: Source;
  uid: string;
  /** The run whose log was read last, or is. */
  run: string;
  stream: AbortController | undefined;
  from: From;
  /** What was said of it last. */
  said: string;
  /** Nothing more comes of it. */
  over: boolean;
  /** Its Pod was gone at the last look. */
  gone: boolean;
}

const EVERY_MS = 3_000;

/**
 * Follows the containers of all Pods that there are and that come: after a rollout those of its new Pods, after a restart
 * the container's next run. Who joins and who is gone is said. Ends when what owns the Pods is gone or has ended.
 *
 * @returns why it ended, in words. Throws KubeError where logs may not be read, and the reason of the signal.
 */
export async function followPods(
  cluster: Cluster,
  app: Application,
  follow: Follow,
  reading: Reading,
): Promise<string> {
  return new Following(cluster, app, follow, reading).run();
}

class Following {
  private readonly cluster: Cluster;
  private readonly app: Application;
  private readonly follow: Follow;
  private readonly reading: Reading;
  private readonly finder: PodFinder;
  private readonly followed = new Map<string, Followed>();
  private readonly known = new Set<string>();
  private readonly stop = new AbortController();
  private failure: { thrown: unknown } | undefined;
  private saidFull = false;
  private first = true;
  private wake = Promise.withResolvers<void>();

  constructor(cluster: Cluster, app: Application, follow: Follow, reading: Reading) {
    this.cluster = cluster;
    this.app = app;
    this.follow = follow;
    this.reading = reading;
    this.finder = new PodFinder(cluster, app, follow.owner, reading.signal);
  }

  async run(): Promise<string> {
    const { signal } = this.reading;
    try {
      for (;;) {
        this.wake = Promise.withResolvers();
        const ended = await this.ownerEnded();
        const pods = await this.finder.find(this.follow.namespaces);
        await this.meet(pods);
        for (const each of this.followed.values()) await this.look(each, pods);
        if (this.failure) throw this.failure.thrown;
        if (ended && [...this.followed.values()].every(({ stream }) => !stream)) return ended;
        this.first = false;
        // What ends is looked at sooner, but a container that ends all the time not all the time.
        await sleep(Math.min(500, this.follow.everyMs ?? EVERY_MS), undefined, { signal });
        await Promise.race([
          this.wake.promise,
          sleep(this.follow.everyMs ?? EVERY_MS, undefined, { signal }),
        ]);
      }
    } finally {
      this.stop.abort();
    }
  }

  /** Takes in Pods that came. */
  private async meet(pods: readonly FoundPod[]): Promise<void> {
    for (const { namespace, name, uid } of pods) {
      if (this.known.has(uid)) continue;
      const pod = await this.pod(namespace, name);
      if (pod?.metadata.uid !== uid) continue;
      this.known.add(uid);
      for (const source of this.reading.containersOf(pod)) {
        this.followed.set(`${uid} ${source.container}`, {
          source,
          uid,
          run: '',
          stream: undefined,
          from: { whole: !this.first, after: '' },
          said: '',
          over: false,
          gone: false,
        });
      }
    }
  }

  private async look(each: Followed, pods: readonly FoundPod[]): Promise<void> {
    const { source, uid } = each;
    if (!pods.some((pod) => pod.uid === uid)) return this.leave(each);
    if (each.stream || each.over) return;
    const pod = await this.pod(source.namespace, source.pod);
    if (pod?.metadata.uid !== uid) return;
    const state = containerState(pod, source.container);
    const before = each.run;
    if (state.is === 'waiting') return state.reason ? this.say(each, `waits: ${state.reason}`) : undefined;
    if (before !== '' && state.run === before && state.is === 'ended') {
      const how = state.reason ? ` (${state.reason})` : '';
      if (state.final) each.over = true;
      return this.say(each, `ended${how}`);
    }
    if (!this.hasRoom()) return this.sayFull(source);
    if (before !== '' && state.run !== before) {
      each.from = { whole: true, after: '' };
      await this.say(each, 'started again');
    } else if (before === '' && each.from.whole) await this.say(each, 'joined');
    each.run = state.run;
    this.open(each);
  }

  private open(each: Followed): void {
    const stream = new AbortController();
    each.stream = stream;
    const signal = AbortSignal.any([this.reading.signal, this.stop.signal, stream.signal]);
    void this.reading
      .read(each.source, each.from, signal)
      .then(
        (last) => void (each.from = { ...each.from, after: last || each.from.after }),
        (thrown: unknown) => {
          if (!signal.aborted) return this.failed(each, thrown);
        },
      )
      .catch((thrown: unknown) => void (this.failure ??= { thrown }))
      .finally(() => {
        each.stream = undefined;
        this.wake.resolve();
      });
  }

  /** What may not be read, or cannot be told any more, ends all of it; what cannot be read now is tried again. */
  private async failed(each: Followed, thrown: unknown): Promise<void> {
    const passing = thrown instanceof KubeError && (thrown.transient || [400, 404].includes(thrown.status));
    if (!passing) throw thrown;
    if (each.from.after === '') each.run = '';
    if (thrown.status !== 404) await this.say(each, `cannot be read now: ${thrown.message}`);
  }

  /** Its Pod is not there any more: what is still on its way has until the next look. */
  private async leave(each: Followed): Promise<void> {
    if (each.stream && each.gone) each.stream.abort();
    each.gone = true;
    if (each.stream) return this.wake.resolve();
    this.followed.delete(`${each.uid} ${each.source.container}`);
    await this.say(each, 'is gone');
  }

  private hasRoom(): boolean {
    const open = [...this.followed.values()].filter(({ stream }) => stream).length;
    return open < this.follow.most;
  }

  private async sayFull(source: Source): Promise<void> {
    if (this.saidFull) return;
    this.saidFull = true;
    await this.reading.say(
      source,
      `waits: only ${this.follow.most} containers are followed at once; it and others come when one ends`,
    );
  }

  private async say(each: Followed, text: string): Promise<void> {
    if (each.said === text && text !== 'started again') return;
    each.said = text;
    await this.reading.say(each.source, text);
  }

  /** Why nothing more can come of what owns the Pods; '' while it can. */
  private async ownerEnded(): Promise<string> {
    const { owner } = this.follow;
    if (!owner) return '';
    const { client, discovery } = this.cluster;
    const type = await discovery.resolveKind(owner.group, owner.kind);
    const path = type && pathOf(type, owner.namespace, owner.name);
    const found = path && (await client.find<KubeObject>(path, this.asked));
    const name = `${owner.kind} ${owner.name}`;
    if (!found || found.metadata.uid !== owner.uid) return `the ${name} is gone`;
    const conditions = part(found, 'status', 'conditions');
    const isOver = (each: unknown) =>
      isRecord(each) && each.status === 'True' && (each.type === 'Complete' || each.type === 'Failed');
    const over = owner.kind === 'Job' && Array.isArray(conditions) && conditions.some(isOver);
    return over ? `the ${name} has ended` : '';
  }

  private pod(namespace: string, name: string): Promise<KubeObject | undefined> {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
    return this.cluster.client.find(path, this.asked);
  }

  private get asked() {
    return { signal: this.reading.signal, impersonate: this.app.assignment.impersonate || undefined };
  }
}
