import type { ApplicationView, ClusterView } from '@muster/api';
import { memo } from 'react';
import { Ago, StateWord } from '../../ui/parts.tsx';
import { StateIcon } from '../../ui/icons.tsx';
import { EDGE, TINT } from '../../ui/tone.ts';
import {
  healthTone,
  isError,
  isSilent,
  keyOf,
  needsAttention,
  shownRevision,
  syncTone,
  toneOf,
} from '../applications/state.ts';
import { RolloutBadge } from '../rollouts/rollout-badge.tsx';
import { type Badge, badgeOf } from '../rollouts/rollout-state.ts';
import type { FleetSearch } from './search.ts';

interface MatrixCellProps {
  column: string;
  row: string;
  set: string;
  cluster: ClusterView | undefined;
  apps: ApplicationView[] | undefined;
  selected: boolean;
  change: (change: Partial<FleetSearch>) => void;
}

/** What one set has on one cluster; opens the Application, or the list when there are several. */
export const MatrixCell = memo(function MatrixCell({
  column,
  row,
  set,
  cluster,
  apps,
  selected,
  change,
}: MatrixCellProps) {
  const app = apps?.[0];
  if (!app)
    return (
      <div role="cell" className="border-l border-line px-2.5 py-1.5 text-muted/50 group-hover:bg-raised/40">
        <span aria-hidden>–</span>
        <span className="sr-only">
          no {column} on {row}
        </span>
      </div>
    );
  const key = keyOf(app);
  const tone = toneOf(app);
  const badge = badgeOf(app);
  const open = () =>
    apps.length === 1
      ? change({ app: key })
      : change({ view: 'list', cluster: cluster?.name, ...(set && { set }), q: undefined });
  return (
    <div role="cell" className={`relative border-l border-line ${TINT[tone]}`}>
      <button
        type="button"
        onClick={open}
        data-app={key}
        aria-pressed={selected}
        className={`flex h-full w-full flex-col justify-center border-l-3 px-2 text-left hover:bg-raised/60 aria-pressed:bg-accent/10 ${EDGE[tone]}`}
      >
        {isSilent(app) ? <Silent app={app} /> : <States app={app} />}
        {apps.length > 1 ? <More apps={apps} /> : !isSilent(app) && <Detail app={app} />}
      </button>
      {apps.length === 1 && badge && <RolloutMark badge={badge} id={app.rollout?.id} change={change} />}
    </div>
  );
});

/** Stands over the cell's button, since it leads elsewhere. */
function RolloutMark({
  badge,
  id,
  change,
}: Pick<MatrixCellProps, 'change'> & { badge: Badge; id: string | undefined }) {
  const place = 'absolute right-1.5 bottom-1.5 flex';
  if (id === undefined)
    return (
      <span className={`${place} pointer-events-none`}>
        <RolloutBadge badge={badge} />
      </span>
    );
  return (
    <button
      type="button"
      aria-label={`Show the rollout: ${badge.says}`}
      onClick={() => change({ rollout: id, app: undefined, about: undefined })}
      className={`${place} rounded hover:brightness-110`}
    >
      <RolloutBadge badge={badge} />
    </button>
  );
}

function States({ app: { sync, health } }: { app: ApplicationView }) {
  return (
    <span className="flex gap-3">
      <StateWord word={sync} tone={syncTone(sync)} quiet={syncTone(sync) === 'good'} />
      <StateWord word={health} tone={healthTone(health)} quiet={healthTone(health) === 'good'} />
    </span>
  );
}

function Silent({ app }: { app: ApplicationView }) {
  return (
    <>
      <StateWord word="silent" tone="idle">
        Unknown since <Ago at={app.clusterState!.silentSince!} />
      </StateWord>
      {app.revision && <span className="font-mono text-[11px] text-muted">{shownRevision(app)}</span>}
    </>
  );
}

/** Why, when there is a reason; else revision and since when. */
function Detail({ app }: { app: ApplicationView }) {
  const failed = app.conditions.find(({ type }) => isError(type));
  if (failed)
    return (
      <span className="flex items-center gap-1 text-bad">
        <StateIcon word="failed" />
        <span className="truncate">{failed.message}</span>
      </span>
    );
  return (
    <span className="flex gap-2 overflow-hidden text-[11px] whitespace-nowrap text-muted">
      {app.revision && <span className="font-mono">{shownRevision(app)}</span>}
      {app.leaving ? <span className="text-warn">leaving</span> : app.since && <Ago at={app.since} />}
      {toneOf(app) === 'bad' && app.healthMessage && <span className="truncate">{app.healthMessage}</span>}
    </span>
  );
}

function More({ apps }: { apps: ApplicationView[] }) {
  const attention = apps.filter((app) => needsAttention(app)).length;
  return (
    <span className="text-[11px] text-muted">
      {apps.length} Applications{attention > 0 && `, ${attention} need attention`}
    </span>
  );
}
