import type { RolloutDetail } from '@muster/api';
import { Fragment } from 'react';
import { exactly } from '../../lib/time.ts';
import { StateIcon } from '../../ui/icons.tsx';
import { Ago } from '../../ui/parts.tsx';
import { inLocalTime } from './hub-time.ts';
import { Left } from './parts.tsx';
import type { PartProps } from './part-props.ts';
import { hasEnded } from './rollout-state.ts';
import { VerbButtons } from '../../ui/verb-buttons.tsx';
import { gateVerbs } from './verbs.ts';

/** The answer to "what now": what went wrong, what is waited for and by whom, what comes next and when. */
export function Standing({ rollout, offset, may, onAsk }: PartProps) {
  const { headline, failure, failedStage, rollback, waitingFor, next, pausedBy, phase } = rollout;
  // That somebody paused it stands above, with the reason.
  const waits = waitingFor.filter(({ what }) => what !== 'paused');
  const bad = failure !== undefined || phase === 'rolling-back';
  return (
    <section aria-label="Where it is" className="mx-4 rounded-md border border-line">
      <p className={`px-3 py-2 font-medium ${bad ? '' : 'border-b border-line'}`}>{headline}</p>
      {failure !== undefined && (
        <div className="flex gap-2 border-y border-bad/40 bg-bad/8 px-3 py-2">
          <StateIcon word="failed" className="mt-0.5 text-bad" />
          <p className="min-w-0 break-words">
            <span className="font-medium text-bad">{failedStage && `Stage ${failedStage} failed: `}</span>
            {inLocalTime(failure, Date.parse(rollout.now))}
          </p>
        </div>
      )}
      {rollback && !failure && (
        <p className="border-y border-line bg-warn/10 px-3 py-2 text-warn">
          {rollback.scope === 'all' ? 'Everything that was touched' : 'What failed'} goes back:{' '}
          {rollback.cause}, <Ago at={rollback.since} suffix=" ago" />.
        </p>
      )}
      <dl className="grid gap-x-4 gap-y-1.5 px-3 py-2 sm:grid-cols-[7rem_1fr]">
        {pausedBy && (
          <>
            <dt className="text-muted">Paused</dt>
            <dd className="text-warn">
              by {pausedBy.actor} <Ago at={pausedBy.since} suffix=" ago" />
              {pausedBy.reason && `: ${pausedBy.reason}`}
            </dd>
          </>
        )}
        {waits.length > 0 && (
          <>
            <dt className="text-muted">Waits for</dt>
            <dd className="space-y-1">
              {waits.map((one) => (
                <Wait key={`${one.what} ${one.text}`} one={one} now={rollout.now} offset={offset} />
              ))}
            </dd>
          </>
        )}
        {rollout.circle && (
          <>
            <dt className="text-muted">Circle</dt>
            <dd className="space-y-1 break-words text-bad">
              <p>{rollout.circle.text}</p>
              <p>It ends when {rollout.circle.ends}.</p>
            </dd>
          </>
        )}
        <dt className="text-muted">Next</dt>
        <dd>
          {next.what}
          {next.at && (
            <span className="text-muted" title={exactly(next.at)}>
              {' '}
              (looks again in <Left until={next.at} offset={offset} over="a moment" />)
            </span>
          )}
        </dd>
      </dl>
      {!hasEnded(rollout) && <OpenApprovals rollout={rollout} may={may} onAsk={onAsk} />}
    </section>
  );
}

function Wait({
  one: { text, since, until },
  now,
  offset,
}: {
  one: RolloutDetail['waitingFor'][number];
  now: string;
  offset: number;
}) {
  return (
    <p className="break-words">
      {inLocalTime(text, Date.parse(now))}{' '}
      <span className="text-muted">
        (for <Ago at={since} />
        {until && (
          <>
            , at most <Left until={until} offset={offset} over="no longer" /> more
          </>
        )}
        )
      </span>
    </p>
  );
}

/** What somebody has to decide on stands where it is seen first. */
function OpenApprovals({ rollout, may, onAsk }: Omit<PartProps, 'offset'>) {
  const open = rollout.progress.flatMap((stage) =>
    stage.gates
      .filter(({ kind, status }) => kind === 'approval' && status === 'open')
      .map((gate) => ({ stage: stage.name, gate })),
  );
  return open.map(({ stage, gate }) => (
    <Fragment key={`${stage}/${gate.name}`}>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-t border-line bg-warn/10 px-3 py-2">
        <p className="min-w-0 flex-1 basis-60">
          <span className="font-medium">{gate.name}</span> of stage {stage} asks for {gate.asks}:{' '}
          {gate.approvals.length} of {gate.count ?? 1} given
          {gate.approvals.length > 0 && ` (${gate.approvals.map(({ actor }) => actor).join(', ')})`}.
        </p>
        <VerbButtons
          label={`Gate ${gate.name}`}
          offers={gateVerbs(rollout, stage, gate, may).filter(({ ask }) => ask.verb !== 'skip')}
          onAsk={onAsk}
          primary
        />
      </div>
    </Fragment>
  ));
}
