import type { ApplicationView, WhyView } from '@muster/api';

type Kind = WhyView['links'][number]['kind'];

/** What each kind of link is called in a word or two. */
const WORDS: Record<Kind, string> = {
  expansion: 'expansion',
  source: 'source',
  render: 'rendering',
  work: 'the hub works',
  policy: 'policy',
  pinned: 'pinned',
  held: 'held',
  paused: 'paused',
  turn: 'its turn',
  stage: 'stage',
  approval: 'approval',
  window: 'window',
  gate: 'gate',
  dependency: 'dependency',
  slot: 'slot',
  hand: 'by hand',
  budget: 'budget',
  rollback: 'rollback',
  failed: 'failed',
  skipped: 'skipped',
  soak: 'soak',
  deletion: 'removal',
  destination: 'destination',
  cluster: 'cluster',
  recovery: 'recovery',
  agent: 'agent',
  delivery: 'delivery',
  refused: 'refused',
  'observe-only': 'observes only',
  'sync-window': 'sync window',
  manual: 'sync by hand',
  operation: 'sync',
  wave: 'wave',
  'sync-failed': 'sync failed',
  prune: 'prune',
  drift: 'drift',
  health: 'health',
};
/** A kind that is not known yet is called as the hub calls it. */
export const kindWord = (kind: string): string => (WORDS as Record<string, string>)[kind] ?? kind;

/** Whether there is something to explain: it is not at its newest commit, synced and healthy, or a rollout decides about it. */
export function isAsked(app: ApplicationView): boolean {
  return (
    app.sync !== 'Synced' ||
    app.health !== 'Healthy' ||
    app.rollout !== undefined ||
    app.latestCommit !== undefined ||
    app.leaving !== undefined
  );
}
