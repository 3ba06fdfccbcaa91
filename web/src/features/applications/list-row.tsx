import type { ApplicationView } from '@muster/api';
import { memo } from 'react';
import { Ago, StateWord } from '../../ui/parts.tsx';
import { EDGE, TINT } from '../../ui/tone.ts';
import { useFleetSearch } from '../fleet/use-search.ts';
import { RolloutBadge } from '../rollouts/rollout-badge.tsx';
import { badgeOf } from '../rollouts/rollout-state.ts';
import { healthTone, isError, isSilent, keyOf, shownRevision, syncTone, toneOf } from './state.ts';

export const COLUMNS =
  'grid grid-cols-[minmax(180px,1.6fr)_minmax(110px,1fr)_minmax(90px,0.8fr)_120px_116px_80px_100px_minmax(120px,2fr)] items-center';

const CELL = 'truncate px-2.5';

/** One Application in the list: in columns, or on a phone in three lines. */
export const ListRow = memo(function ListRow({ app, narrow }: { app: ApplicationView; narrow: boolean }) {
  const [search] = useFleetSearch();
  const tone = toneOf(app);
  const look = `relative h-full border-b border-l-3 border-b-line hover:bg-raised/60 ${EDGE[tone]} ${search.app === keyOf(app) ? 'bg-accent/10' : TINT[tone]}`;
  if (narrow)
    return (
      <div role="row" className={`flex flex-col justify-center gap-0.5 px-3 ${look}`}>
        <div className="flex items-baseline justify-between gap-2">
          <div role="cell" className="min-w-0 truncate">
            <NameButton app={app} />
          </div>
          <div role="cell" className="shrink-0 text-muted">
            {app.since && <Ago at={app.since} />}
          </div>
        </div>
        <div className="flex items-baseline gap-3 overflow-hidden whitespace-nowrap">
          <div role="cell" className="flex gap-3">
            <States app={app} />
          </div>
          <div role="cell" className="min-w-0 truncate text-muted">
            on {app.destination.cluster ?? app.destination.server}
          </div>
        </div>
        <div role="cell" className="truncate text-xs text-muted empty:hidden">
          <Why app={app} />
        </div>
      </div>
    );
  return (
    <div role="row" className={`${COLUMNS} ${look}`}>
      <div role="cell" className={`${CELL} pl-3`}>
        <NameButton app={app} />
      </div>
      <div role="cell" className={CELL}>
        {app.destination.cluster ?? app.destination.server}
      </div>
      <div role="cell" className={`${CELL} text-muted`}>
        {app.set?.split('/').at(-1)}
      </div>
      <Sync app={app} />
      <div role="cell" className={CELL}>
        {!isSilent(app) && <HealthWord app={app} />}
      </div>
      <div role="cell" className={`${CELL} font-mono text-xs text-muted`}>
        {shownRevision(app)}
      </div>
      <div role="cell" className={`${CELL} text-muted`}>
        {app.since && <Ago at={app.since} />}
      </div>
      <div role="cell" className={`${CELL} text-muted`}>
        <Why app={app} />
      </div>
    </div>
  );
});

/** The button reaches over the whole row, and so does its title: all of why. */
function NameButton({ app }: { app: ApplicationView }) {
  const [search, change] = useFleetSearch();
  const key = keyOf(app);
  return (
    <button
      type="button"
      data-app={key}
      aria-pressed={search.app === key}
      onClick={() => change({ app: key })}
      title={reason(app)}
      className="max-w-full truncate font-medium after:absolute after:inset-0"
    >
      {app.name}
    </button>
  );
}

function Sync({ app }: { app: ApplicationView }) {
  return (
    <div role="cell" className={CELL}>
      <SyncWord app={app} />
    </div>
  );
}

function States({ app }: { app: ApplicationView }) {
  return (
    <>
      <SyncWord app={app} />
      {!isSilent(app) && <HealthWord app={app} />}
    </>
  );
}

function SyncWord({ app }: { app: ApplicationView }) {
  if (isSilent(app))
    return (
      <StateWord word="silent" tone="idle">
        Unknown
      </StateWord>
    );
  return <StateWord word={app.sync} tone={syncTone(app.sync)} quiet={app.sync === 'Synced'} />;
}

function HealthWord({ app: { health } }: { app: ApplicationView }) {
  return <StateWord word={health} tone={healthTone(health)} quiet={health === 'Healthy'} />;
}

function Why({ app }: { app: ApplicationView }) {
  const badge = badgeOf(app);
  const said = reason(app);
  if (!badge && !said) return null;
  return (
    <>
      {badge && (
        <>
          <RolloutBadge badge={badge} />{' '}
        </>
      )}
      {said}
    </>
  );
}

/** The most telling sentence of an Application, or none when it is fine. */
function reason(app: ApplicationView): string {
  const failed = app.conditions.find(({ type }) => isError(type)) ?? app.conditions[0];
  if (failed) return failed.message;
  if (app.leaving) return app.leaving.held ?? `leaving (${app.leaving.action})`;
  if (app.operation && app.operation.phase !== 'Succeeded')
    return app.operation.message || app.operation.phase;
  if (app.health !== 'Healthy' && app.healthMessage) return app.healthMessage;
  const badge = badgeOf(app);
  if (badge) return badge.says;
  if (app.sync !== 'OutOfSync' || isSilent(app)) return '';
  return app.automated ? 'differs from what is assigned' : 'is applied when somebody syncs it';
}
