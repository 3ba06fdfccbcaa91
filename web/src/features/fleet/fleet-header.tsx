import type { FleetSummary, Session } from '@muster/api';
import { useQuery } from '@tanstack/react-query';
import { StateIcon } from '../../ui/icons.tsx';
import { Ago, Skeleton } from '../../ui/parts.tsx';
import { TEXT } from '../../ui/tone.ts';
import { HEALTH_WORDS, SYNC_WORDS, type Tone, healthTone, syncTone } from '../applications/state.ts';
import { LiveIndicator } from '../live/live-indicator.tsx';
import type { LiveState } from '../live/stream.ts';
import { askingWords } from '../promotions/promotion-state.ts';
import { UserMenu } from '../session/user-menu.tsx';
import { summaryQuery } from './queries.ts';
import type { FleetSearch } from './search.ts';
import { useFleetSearch } from './use-search.ts';

export function FleetHeader({ session, live }: { session: Session; live: LiveState }) {
  const { data: summary, isError } = useQuery(summaryQuery);
  return (
    <header className="flex flex-wrap items-start gap-x-6 gap-y-1 bg-panel px-4 py-2">
      <h1 className="flex h-7 items-center gap-2 text-sm font-semibold">
        <img src="/favicon.svg" alt="" className="size-5" /> Muster
      </h1>
      {summary ? <Counts summary={summary} /> : isError ? null : <Skeleton className="h-7 min-w-0 flex-1" />}
      <div className="ml-auto flex items-center gap-2">
        <LiveIndicator state={live} hubAnswers={!isError} />
        <UserMenu session={session} />
      </div>
      {summary?.recovering && (
        <p role="alert" className="w-full rounded-md bg-warn/10 px-3 py-1.5 text-warn">
          The hub is in recovery: clusters hold newer assignments than its database. Nothing is signed until
          an administrator looks at <code className="font-mono">muster hub recovery</code> and confirms it.
        </p>
      )}
    </header>
  );
}

function Counts({ summary: { clusters, applications, rollouts, promotions } }: { summary: FleetSummary }) {
  const pending = (clusters.byState['pending'] ?? 0) + (clusters.byState['recovered'] ?? 0);
  return (
    <div
      className="flex min-h-7 min-w-0 flex-1 flex-wrap items-center gap-x-6 gap-y-0.5 max-sm:order-last max-sm:basis-full"
      aria-label="Fleet summary"
    >
      <Group name="Clusters" total={clusters.total}>
        <Count word="connected" tone="good" count={clusters.connected} to={{ connection: 'connected' }} />
        <Count word="silent" tone="idle" count={clusters.silent} to={{ connection: 'silent' }} />
        <Count word="pending" tone="warn" count={pending} to={{ connection: 'pending' }} />
      </Group>
      <Group name="Applications" total={applications.total}>
        {SYNC_WORDS.map((word) => (
          <Count
            key={word}
            word={word}
            tone={syncTone(word)}
            count={applications.bySync[word] ?? 0}
            to={{ view: 'list', sync: word }}
          />
        ))}
      </Group>
      <Group name="Health">
        {HEALTH_WORDS.map((word) => (
          <Count
            key={word}
            word={word}
            tone={healthTone(word)}
            count={applications.byHealth[word] ?? 0}
            to={{ view: 'list', health: word }}
          />
        ))}
      </Group>
      <Rollouts rollouts={rollouts} />
      <Promotions promotions={promotions} />
    </div>
  );
}

/** Only what goes on or went wrong: a fleet at rest has none. */
function Rollouts({ rollouts }: Partial<Pick<FleetSummary, 'rollouts'>>) {
  // A replica of the version before, while the hub is updated, says nothing of them.
  if (!rollouts) return null;
  const { moving, stopped, goingBack, takenBack } = rollouts;
  if (moving + stopped + goingBack + takenBack === 0) return null;
  const all = { view: 'rollouts', q: undefined, phase: undefined, open: undefined } as const;
  return (
    <Group name="Rollouts">
      <Count word="running" says="on their way" tone="busy" count={moving} to={{ ...all, open: true }} />
      <Count word="failed" says="stopped" tone="bad" count={stopped} to={{ ...all, open: true }} />
      <Count
        word="rolling-back"
        says="going back"
        tone="bad"
        count={goingBack}
        to={{ ...all, phase: 'rolling-back' }}
      />
      <Count
        word="rolled-back"
        says="taken back"
        tone="warn"
        count={takenBack}
        to={{ ...all, phase: 'rolled-back' }}
      />
    </Group>
  );
}

/** Those that go no further before somebody has approved. */
function Promotions({ promotions }: Partial<Pick<FleetSummary, 'promotions'>>) {
  // As above.
  if (!promotions || promotions.asking === 0) return null;
  const { asking } = promotions;
  return (
    <Group name="Promotions">
      <Count
        word="open"
        says={askingWords(asking)}
        tone="warn"
        count={asking}
        to={{ view: 'promotions', q: undefined }}
      />
    </Group>
  );
}

function Group({ name, total, children }: { name: string; total?: number; children: React.ReactNode }) {
  return (
    <div role="group" aria-label={name} className="flex flex-wrap items-center">
      <span className="mr-1 text-muted">
        {name} {total !== undefined && <span className="font-semibold text-ink">{total}</span>}
      </span>
      {children}
    </div>
  );
}

/** A count that filters by what it counts; none of it is not shown. */
function Count({
  word,
  says = word,
  tone,
  count,
  to,
}: {
  word: string;
  /** What it is called, where the word of its icon is not that. */
  says?: string;
  tone: Tone;
  count: number;
  to: Partial<FleetSearch>;
}) {
  const [, change] = useFleetSearch();
  if (count === 0) return null;
  const cleared = { sync: undefined, health: undefined, connection: undefined, attention: undefined };
  return (
    <button
      type="button"
      title={`${count} ${says}: show them`}
      onClick={() => change({ view: undefined, ...cleared, ...to })}
      className="flex items-center gap-1 rounded-md px-1.5 py-0.5 hover:bg-raised"
    >
      <StateIcon word={word} className={TEXT[tone]} />
      <span className="font-semibold">{count}</span>
      <span className="text-muted">{says}</span>
    </button>
  );
}

/** When the hub said what is shown. */
export function ObservedAgo({ at }: { at: string | undefined }) {
  if (at === undefined) return <>never reported</>;
  return (
    <>
      observed <Ago at={at} suffix=" ago" />
    </>
  );
}
