import type { WhyKind, WhyLink } from '@muster/api';
import type { StoredOperation } from '../status/bounds.ts';
import { REASON, link, operatorOf } from './links.ts';
import type { StatusFacts, WhyFacts } from './why-facts.ts';

/** What agents say with a condition of their own, and what ends it. */
const SAID: Record<string, { kind: WhyKind; ends: string; command?: (app: string) => string }> = {
  ObserveOnly: {
    kind: 'observe-only',
    ends: 'the agent is installed with more verbs (limits.verbs of its chart)',
  },
  VerbRefused: {
    kind: 'observe-only',
    ends: 'the agent is installed with more verbs (limits.verbs of its chart)',
  },
  SyncWindow: {
    kind: 'sync-window',
    ends: 'the window opens, or closes where it denies',
    command: (app) => `muster app windows ${app}`,
  },
  BundleUnavailable: { kind: 'delivery', ends: 'the agent can fetch its manifests' },
  ProjectDenied: { kind: 'refused', ends: 'its project allows it, or the manifests leave it out' },
  NamespaceDenied: { kind: 'refused', ends: 'the agent may act there, or the manifests leave it out' },
  KindDenied: { kind: 'refused', ends: 'the agent may apply this kind, or the manifests leave it out' },
  AccountDenied: { kind: 'refused', ends: 'the agent may act as this account' },
  InvalidManifest: { kind: 'sync-failed', ends: 'a commit with a manifest that can be applied' },
  ComparisonError: { kind: 'sync-failed', ends: 'it can be compared again; it is tried by itself' },
  ForeignResource: { kind: 'sync-failed', ends: 'the other tool lets go of it, or it is adopted' },
  PruneConfirmation: {
    kind: 'prune',
    ends: 'a confirmation',
    command: (app) => `muster app confirm ${app} ${REASON}`,
  },
  SelfHealBackoff: { kind: 'drift', ends: 'whoever changes it stops' },
};

/** What the agent says of its syncs, and of what came of them. Nothing of a silent agent: that is old. */
export function syncLinks(facts: WhyFacts): WhyLink[] {
  const { status, cluster, namespace, name } = facts;
  if (!status || cluster?.silentSince) return [];
  const app = `${namespace}/${name}`;
  const said = saidLinks(status, app, facts.project);
  const operation = operationLinks(facts, status, app);
  const sync = operation.length + said.length > 0 ? [] : outOfSyncLinks(facts, status, app);
  // While a sync runs, it says what it waits for.
  const health = operation.some(({ kind }) => kind === 'wave') ? [] : healthLinks(facts, status, app);
  return [...said, ...operation, ...sync, ...health];
}

function saidLinks({ conditions }: StatusFacts, app: string, project: string): WhyLink[] {
  return conditions.flatMap(({ type, message, since }) => {
    const known = SAID[type];
    if (!known) return [];
    const { kind, ends, command } = known;
    const who = kind === 'prune' ? operatorOf(project) : undefined;
    return [link(kind, message, { since, ends, command: command?.(app), who })];
  });
}

function operationLinks(facts: WhyFacts, status: StatusFacts, app: string): WhyLink[] {
  const { operation } = status;
  if (!operation) return [];
  const who = operatorOf(facts.project);
  if (operation.phase === 'Running') {
    const waits = (operation.waitsFor?.length ?? 0) > 0;
    return [
      link(waits ? 'wave' : 'operation', `a sync is running: ${progress(operation)}`, {
        since: operation.startedAt,
        until: operation.deadline,
        ends: 'it goes on by itself',
        command: `muster app terminate ${app}`,
        who,
      }),
    ];
  }
  const failed = operation.phase === 'Failed' || operation.phase === 'Error';
  if (!failed || facts.sync === 'Synced') return [];
  const next = operation.nextTry;
  const again = next
    ? `; tried again${next.at ? ` at ${next.at}` : ''} (${next.attempt}${next.limit === undefined ? '' : ` of ${next.limit}`})`
    : '';
  return [
    link('sync-failed', `the last sync failed: ${operation.message}${again}`, {
      since: operation.finishedAt ?? operation.startedAt,
      ends: next
        ? 'the next try, or a commit that can be applied'
        : 'a commit that can be applied, or another try',
      command: `muster app sync ${app}`,
      who,
    }),
  ];
}

/** `Sync, wave 2 waits for Deployment.apps shop/web (Progressing: 1 of 3) and 2 more`. */
function progress({ step, wave, waitsFor = [], waitsForTotal = 0, message }: StoredOperation): string {
  const where = step ? `${step}${wave === undefined ? '' : `, wave ${wave}`}` : '';
  const [first] = waitsFor;
  if (!first) return [where, message].filter(Boolean).join(': ') || 'it has begun';
  const name = `${first.group ? `${first.kind}.${first.group}` : first.kind} ${first.namespace ? `${first.namespace}/` : ''}${first.name}`;
  const state = [first.health, first.message].filter(Boolean).join(': ');
  const more = waitsForTotal > 1 ? ` and ${waitsForTotal - 1} more` : '';
  return `${where ? `${where} ` : ''}waits for ${name}${state ? ` (${state})` : ''}${more}`;
}

function outOfSyncLinks(facts: WhyFacts, status: StatusFacts, app: string): WhyLink[] {
  if (facts.sync !== 'OutOfSync' || !status.current) return [];
  const { automated, selfHeal, prune } = facts.policy;
  const byHand = {
    since: status.syncSince,
    command: `muster app sync ${app}`,
    who: operatorOf(facts.project),
  };
  if (!automated) {
    const what = status.applied ? 'it differs from its release' : 'its release is not applied';
    const text = `${what}, automated sync is off, and nobody has synced it`;
    return [link('manual', text, { ...byHand, ends: 'a sync' })];
  }
  if (!status.applied)
    return [
      link('operation', 'its agent is about to sync it', {
        since: status.syncSince,
        ends: 'it is done by itself',
      }),
    ];
  if (selfHeal)
    return [
      link(
        'drift',
        `it differs from its release and is being put back${prune ? '' : ' (prune is off: what left Git stays)'}`,
        {
          since: status.syncSince,
          command: `muster app diff ${app}`,
        },
      ),
    ];
  const text = 'it differs from its release, and selfHeal is off: it stays so until somebody syncs it';
  return [link('drift', text, { ...byHand, ends: 'a sync, or a newer release' })];
}

const WORDS: Record<string, string> = {
  Degraded: 'it is degraded',
  Progressing: 'it is not healthy yet',
  Missing: 'objects of it are missing',
  Suspended: 'it is suspended',
  Unknown: 'its health is unknown',
};

function healthLinks(facts: WhyFacts, status: StatusFacts, app: string): WhyLink[] {
  const said = WORDS[facts.health];
  // Of a release that is not reported on yet, delivery or the sync say it.
  if (!said || !status.current || (!status.applied && facts.health !== 'Degraded')) return [];
  const objects = facts.unhealthy
    .slice(0, 3)
    .map(({ name, health, message }) => `${name} is ${health}${message ? `: ${message}` : ''}`);
  const more = facts.unhealthy.length > 3 ? `; and ${facts.unhealthy.length - 3} more` : '';
  const text = objects.length > 0 ? `${objects.join('; ')}${more}` : status.message;
  return [
    link('health', text ? `${said}: ${text}` : said, {
      since: status.healthSince,
      ends:
        facts.health === 'Suspended'
          ? 'somebody resumes it'
          : 'its objects become healthy, or another release',
      command: `muster app tree ${app}`,
    }),
  ];
}
