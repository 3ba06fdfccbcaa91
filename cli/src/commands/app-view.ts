import type { ApplicationDetail, ApplicationView, WhyView } from '@muster/api';
import { shortCommit as short } from '@muster/api/commits';
import { commitsOf } from '../commits.ts';
import { formatName } from '../names.ts';
import { operationText, progressText } from '../operation-text.ts';
import { age, type Column, fields, paintState, table, type View } from '../output.ts';

/** A resource as agents report it; the API leaves its shape open. */
export interface ResourceRow {
  group?: string;
  version?: string;
  kind: string;
  namespace?: string;
  name: string;
  sync?: string;
  health?: string;
  message?: string;
  requiresPruning?: boolean;
  /** Why it is kept until someone confirms. */
  held?: string;
  /** Another tool tracks it: left alone, taken over by the next sync, or Muster's as well. */
  foreign?: { tool: string; by: string; adopting?: boolean; shared?: boolean };
  /** What a cluster said last that cannot be heard now. */
  lastObserved?: { sync?: string; health?: string; at?: string };
  drift?: {
    fields?: FieldRow[];
    /** 'person', 'controller', 'pending' or 'deleted'. */
    class?: string;
    manager?: string;
    operation?: string;
    timeMs?: number;
    deleted?: boolean;
    detectedAtMs?: number;
    healedAtMs?: number;
  };
}

/** A field that differs; values are JSON text, redacted. */
export interface FieldRow {
  path: string;
  expected?: string;
  actual?: string;
}

/** The list of Applications. */
export function applicationView(now: number): View<ApplicationView> {
  return {
    name: formatName,
    columns: [
      { title: 'NAME', value: formatName },
      { title: 'CLUSTER', value: placeOf },
      { title: 'NAMESPACE', value: ({ destination }) => destination.namespace },
      { title: 'PROJECT', value: ({ project }) => project, wide: true },
      { title: 'SET', value: ({ set }) => set, wide: true },
      { title: 'SYNC', value: ({ sync }) => sync, paint: paintState },
      { title: 'HEALTH', value: healthText, paint: paintState },
      { title: 'REVISION', value: (each) => commitsOf(each).map(shortCommit).join(',') },
      { title: 'SINCE', value: (each) => age(each.clusterState?.silentSince ?? each.since, now) },
      { title: 'NOTES', value: notesOf },
      { title: 'PINNED', value: pinnedText, wide: true },
      { title: 'REPOSITORY', value: ({ source }) => source.repoURL, wide: true },
      { title: 'PATH', value: ({ source }) => source.path ?? source.chart, wide: true },
      { title: 'TARGET', value: ({ source }) => source.targetRevision, wide: true },
    ],
  };
}

/** Where it goes: a cluster, or the hub that its children are applied to. */
function placeOf({ destination, ofHub }: ApplicationView): string {
  return destination.cluster ?? (ofHub ? 'hub' : (destination.server ?? '?'));
}

function healthText({ health, clusterState }: ApplicationView): string {
  return clusterState?.silentSince ? 'Unknown' : health;
}

/** `release 9 by ada, until …: an incident`. */
function pinnedText({ pinned }: ApplicationView): string {
  if (!pinned) return '';
  const { release, by, until, reason } = pinned;
  const at = release ? `release ${release.number} ` : '';
  return `${at}by ${by}${until ? `, until ${until}` : ''}: ${reason}`;
}

/** What somebody should know at a glance. */
export function notesOf(app: ApplicationView): string {
  const { leaving, conditions, operation, clusterState, rollout, pinned } = app;
  const notes = [
    ...(pinned ? ['pinned'] : []),
    ...(clusterState?.silentSince ? ['cluster silent'] : []),
    ...(leaving ? [leaving.held ? 'removal held' : 'leaving'] : []),
    ...(rollout && !pinned ? [rolloutWord(rollout)] : []),
    ...(operation?.phase === 'Running' ? ['syncing'] : []),
    ...new Set(conditions.map(({ type }) => type)),
  ];
  return notes.join(', ');
}

const ROLLOUT_WORDS: Record<string, string> = {
  held: 'held back',
  waiting: 'waits for its rollout',
  manual: 'waits to be started',
  deferred: 'waits for its stage',
  assigned: 'rolling out',
  applied: 'rolling out',
  healthy: 'soaking',
  failed: 'rollout failed',
  reverting: 'going back',
  restoring: 'going back',
  unproven: 'going back',
  'restore-failed': 'going back failed',
};

function rolloutWord({ state, paused }: NonNullable<ApplicationView['rollout']>): string {
  return `${ROLLOUT_WORDS[state] ?? state}${paused ? ' (paused)' : ''}`;
}

/** What a rollout has an Application hold in place of its newest release, and why. */
function heldText({ rollout, pinned }: ApplicationView): string | undefined {
  if (!rollout?.holds || pinned) return undefined;
  const { release, commit } = rollout.holds;
  const at = [release === undefined ? '' : `#${release}`, shortCommit(commit)].filter(Boolean).join(' ');
  const over = rollout.state === 'held' && rollout.phase ? `, its rollout is ${rollout.phase}` : '';
  const why = [`${rolloutWord(rollout)}${over}`, rollout.reason].filter(Boolean).join(': ');
  return `${at || 'nothing'}  (${why})`;
}

export function shortCommit(commit: string | undefined): string {
  return commit === undefined ? '' : short(commit);
}

/** One Application as people read it: what it should be, what it is, what is wrong. */
export function applicationText(
  app: ApplicationDetail,
  resources: readonly ResourceRow[],
  { now, colour, why }: { now: number; colour: boolean; why?: WhyView | undefined },
): string {
  const parts = [fields([...headOf(app, now), ['Blocked', why && blockedText(why)]])];
  const progress = app.operation && progressText(app.operation, { now, colour });
  if (progress) parts.push(progress);
  if (app.conditions.length > 0) {
    parts.push(`Conditions:\n${app.conditions.map((each) => `  ${each.type}: ${each.message}`).join('\n')}`);
  }
  if (resources.length > 0) parts.push(resourcesText(resources, { now, colour }));
  return parts.join('\n\n');
}

/** What blocks it first, and how much comes after that. */
function blockedText({ links, of }: WhyView): string | undefined {
  const [first, ...more] = links;
  if (!first) return undefined;
  return `${first.kind}: ${first.text}${more.length > 0 ? ` (and ${more.length} more: muster why ${of})` : ''}`;
}

function headOf(app: ApplicationDetail, now: number): [string, string | undefined][] {
  const { destination, operation, leaving, clusterState: cluster, release } = app;
  const says = saidOf(app);
  const ago = (time: string | undefined) => (time ? `${age(time, now)} ago` : '');
  const silent = cluster?.silentSince
    ? `silent since ${cluster.silentSince} (${ago(cluster.silentSince)})`
    : '';
  const state = silent || (cluster?.connected ? 'connected' : 'not connected');
  return [
    ['Name', formatName(app)],
    ['Project', app.project],
    ['Set', app.set],
    ['Root', app.root],
    ['Cluster', app.ofHub && !destination.cluster ? 'the hub itself' : `${placeOf(app)} (${state})`],
    ['Namespace', destination.namespace],
    ...sourcesOf(app),
    ['Release', release && [`#${release.number}`, ...(app.sources ? says : [])].join('  ')],
    ['Held at', heldText(app)],
    ['Pinned', app.pinned && `${pinnedText(app)} (since ${app.pinned.since})`],
    ['Sync', `${app.sync} (${app.automated ? 'automated' : 'by hand'})`],
    ['Health', [silent ? 'Unknown' : app.health, app.healthMessage].filter(Boolean).join(': ')],
    ['Since', app.since && `${app.since} (${ago(app.since)})`],
    ['Observed', app.observedAt && `${app.observedAt} (${ago(app.observedAt)})`],
    ['Operation', operation && operationText(operation, now)],
    [
      'Leaving',
      leaving &&
        [
          `${leaving.action} at ${leaving.at}`,
          leaving.held ? `held: ${leaving.held}` : '',
          leaving.waits ?? '',
        ]
          .filter(Boolean)
          .join(', '),
    ],
  ];
}

/** One source with its revision, or a line for each of several with what is assigned of it. */
function sourcesOf(app: ApplicationDetail): [string, string | undefined][] {
  const { source, sources, revision, latestCommit } = app;
  const place = (one: typeof source) => [one.repoURL, one.path ?? one.chart].filter(Boolean).join(' ');
  if (!sources) {
    return [
      ['Source', `${place(source)} @ ${source.targetRevision}`],
      ['Revision', revision && [revision.commit, ...saidOf(app)].join('  ')],
      ['Newer', latestCommit && `${latestCommit} (${newerWord(revision?.unchangedBy !== undefined, app)})`],
    ];
  }
  return sources.map((one, i) => {
    const names = [one.name, one.ref && `$${one.ref}`].filter(Boolean).join(', ');
    const newer =
      one.latestCommit && `${shortCommit(one.latestCommit)} ${newerWord(one.unchanged ?? false, app)}`;
    const at = [one.commit ?? 'nothing assigned', newer].filter(Boolean).join(', ');
    return [`Source ${i + 1}`, `${names && `${names}: `}${place(one)} @ ${one.targetRevision} (${at})`];
  });
}

/** Why a commit that Git has is not what is assigned. */
function newerWord(unchanged: boolean, { rollout, pinned, conditions }: ApplicationView): string {
  if (unchanged) return 'changes nothing here';
  if (pinned) return 'not assigned: pinned';
  if (rollout?.holds) return 'not assigned: held back';
  const failed = conditions.some(({ type }) => STOPPING.has(type));
  return failed ? 'not assigned: see Conditions' : 'not assigned yet';
}

/** Conditions that keep an Application from being rendered. */
const STOPPING = new Set(['InvalidSpec', 'ProjectDenied', 'RenderError', 'SourceError']);

function saidOf({ revision }: ApplicationView): string[] {
  return [revision?.message, revision?.author].filter((one) => one !== undefined);
}

/** The table of resources, worst and named groups together, drift written below it field by field. */
export function resourcesText(
  resources: readonly ResourceRow[],
  { now, colour }: { now: number; colour: boolean },
): string {
  const sorted = [...resources].sort((a, b) => (resourceKey(a) < resourceKey(b) ? -1 : 1));
  const drifted = sorted.filter(({ drift }) => drift && (drift.deleted || (drift.fields?.length ?? 0) > 0));
  const at = sorted.find(({ lastObserved }) => lastObserved?.at)?.lastObserved?.at;
  const silence = at
    ? `The cluster is silent. In brackets: as last observed at ${at} (${age(at, now)} ago).\n`
    : '';
  const parts = [silence + table(sorted, RESOURCE_COLUMNS, colour)];
  if (drifted.length > 0) {
    parts.push(`Drift (in Git → in the cluster):\n${drifted.map((each) => driftText(each, now)).join('\n')}`);
  }
  return parts.join('\n\n');
}

const RESOURCE_COLUMNS: Column<ResourceRow>[] = [
  { title: 'KIND', value: ({ group, kind }) => (group ? `${kind}.${group}` : kind) },
  { title: 'NAMESPACE', value: ({ namespace }) => namespace },
  { title: 'NAME', value: ({ name }) => name },
  {
    title: 'SYNC',
    value: ({ sync, requiresPruning, held, foreign, lastObserved }) => {
      if (lastObserved?.sync) return `${sync} (${lastObserved.sync})`;
      if (requiresPruning) return `${sync} (${held ? 'kept' : 'to prune'})`;
      return foreign ? `${sync} (${foreignWord(foreign)})` : sync;
    },
    paint: paintState,
  },
  {
    title: 'HEALTH',
    value: ({ health, lastObserved }) =>
      lastObserved?.health ? `${health} (${lastObserved.health})` : health,
    paint: paintState,
  },
  { title: 'MESSAGE', value: ({ message }) => message },
];

function foreignWord({ adopting, shared }: NonNullable<ResourceRow['foreign']>): string {
  if (shared) return 'shared';
  return adopting ? 'to adopt' : 'foreign';
}

function resourceKey({ namespace = '', kind, group = '', name }: ResourceRow): string {
  return `${namespace}\0${kind}\0${group}\0${name}`;
}

const CLASS_TEXTS: Record<string, string> = {
  person: 'changed by a person',
  controller: 'changed by a controller',
  pending: 'waits for its sync',
};

function driftText(resource: ResourceRow, now: number): string {
  const { drift = {} } = resource;
  const by = [
    CLASS_TEXTS[drift.class ?? ''] ?? '',
    drift.manager ? `by ${drift.manager}` : '',
    drift.timeMs ? `${age(Number(drift.timeMs), now)} ago` : '',
    drift.healedAtMs ? `put back ${age(Number(drift.healedAtMs), now)} ago` : '',
  ].filter(Boolean);
  const head = `  ${resourceName(resource)}${drift.deleted ? ' was deleted' : ''}${by.length > 0 ? ` (${by.join(', ')})` : ''}`;
  return [head, ...(drift.fields ?? []).map((field) => `    ${fieldText(field)}`)].join('\n');
}

export function resourceName({ kind, group, namespace, name }: ResourceRow): string {
  return `${group ? `${kind}.${group}` : kind} ${namespace ? `${namespace}/` : ''}${name}`;
}

/** `spec.replicas: 3 → 5`; an absent side is `(absent)`. */
export function fieldText({ path, expected, actual }: FieldRow): string {
  return `${path || '(object)'}: ${expected || '(absent)'} → ${actual || '(absent)'}`;
}
