import type { RolloutGateView, RolloutStageDetail } from '@muster/api';
import { exactly } from '../../lib/time.ts';
import { StateIcon } from '../../ui/icons.tsx';
import { Ago, StateWord } from '../../ui/parts.tsx';
import { TEXT } from '../../ui/tone.ts';
import { lasting } from './hub-time.ts';
import { Left } from './parts.tsx';
import type { PartProps } from './part-props.ts';
import {
  GROUPS,
  GROUP_WORDS,
  gateTone,
  gateWords,
  groupCounts,
  groupWord,
  hasEnded,
  stepWord,
} from './rollout-state.ts';
import { StageBar } from './stage-bar.tsx';
import { VerbButtons } from '../../ui/verb-buttons.tsx';
import { ON_FAILURE, gateVerbs, stageVerbs } from './verbs.ts';

/** The stages in their order, each with how far it is, what it goes by, and its gates. */
export function Stages({ rollout, offset, may, onAsk }: PartProps) {
  return (
    <section aria-label="Stages" className="px-4 pt-4">
      <h3 className="mb-1.5 text-xs font-semibold text-muted">Stages</h3>
      <ol className="grid grid-cols-[repeat(auto-fit,minmax(min(100%,270px),1fr))] gap-3">
        {rollout.progress.map((stage, i) => (
          <Stage
            key={stage.name}
            stage={stage}
            index={i}
            rollout={rollout}
            offset={offset}
            may={may}
            onAsk={onAsk}
          />
        ))}
      </ol>
    </section>
  );
}

function Stage({
  stage,
  index,
  rollout,
  offset,
  may,
  onAsk,
}: PartProps & { stage: RolloutStageDetail; index: number }) {
  const { name, step, since, size } = stage;
  const running = name === rollout.stage;
  const counts = groupCounts([stage]);
  const soaks = rollout.waitingFor.find(({ what }) => what === 'soak');
  const soak = running && step === 'soaking' ? soaks?.until : undefined;
  const word = stepWord(stage, rollout);
  const shown = GROUPS.filter((group) => counts[group] > 0);
  return (
    <li
      aria-current={running ? 'step' : undefined}
      className={`flex flex-col gap-1.5 rounded-md border p-3 ${running ? 'border-accent' : 'border-line'}`}
    >
      <p className="flex items-baseline justify-between gap-2">
        <span className="min-w-0 truncate font-semibold" title={name}>
          {index + 1}. {name}
        </span>
        <span
          className={`whitespace-nowrap ${word === 'failed' ? 'text-bad' : running ? 'text-busy' : 'text-muted'}`}
        >
          {word}
          {soak ? (
            <>
              , <Left until={soak} offset={offset} over="over" /> left
            </>
          ) : (
            word !== '' &&
            step !== 'waiting' && (
              <>
                {' '}
                <Ago at={since} suffix={word === 'failed' || word === 'passed' ? ' ago' : ''} />
              </>
            )
          )}
        </span>
      </p>
      <StageBar stage={stage} />
      <p className="flex flex-wrap gap-x-3">
        {shown.map((group) => (
          <span key={group} className={`inline-flex items-center gap-1 ${TEXT[GROUP_WORDS[group].tone]}`}>
            <StateIcon word={group} /> {counts[group]} {groupWord(group, hasEnded(rollout))}
          </span>
        ))}
        {shown.length === 0 && <span className="text-muted">no targets</span>}
      </p>
      <p className="text-xs text-muted">{settingsOf(stage, size)}</p>
      {stage.gates.length > 0 && (
        <ul aria-label={`Gates of ${name}`} className="space-y-1.5 border-t border-line pt-1.5">
          {stage.gates.map((gate) => (
            <li key={gate.name}>
              <Gate gate={gate} offset={offset} ended={hasEnded(rollout)} />
              <VerbButtons
                label={`Gate ${gate.name}`}
                quiet
                // Approvals stand above, where they are seen first.
                offers={gateVerbs(rollout, name, gate, may).filter(({ ask }) => ask.verb === 'skip')}
                onAsk={onAsk}
              />
            </li>
          ))}
        </ul>
      )}
      <VerbButtons label={`Stage ${name}`} quiet offers={stageVerbs(rollout, stage, may)} onAsk={onAsk} />
    </li>
  );
}

function settingsOf(
  { slots, soakSeconds, deadlineSeconds, tolerated, onFailure }: RolloutStageDetail,
  size: number,
): string {
  return [
    slots === 0 ? 'each is started by hand' : slots >= size ? 'all at once' : `${slots} at once`,
    soakSeconds > 0 && `soaks ${lasting(soakSeconds)}`,
    deadlineSeconds !== undefined && `healthy within ${lasting(deadlineSeconds)}`,
    `${tolerated === 0 ? 'no failure' : `${tolerated} failed`} tolerated, else ${ON_FAILURE[onFailure]}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

const MEASURED_BY = { hub: 'the hub', clusters: 'the agents' } as const;

function Gate({ gate, offset, ended }: { gate: RolloutGateView; offset: number; ended: boolean }) {
  const { name, at, asks, status, since, until, approvals, last, bad, unknownSince, recent = [], by } = gate;
  return (
    <div className="min-w-0">
      <p className="flex items-baseline justify-between gap-2">
        <span className="min-w-0 break-words">
          <span className="font-medium">{name}</span>{' '}
          <span className="text-muted">
            {at === 'entry' ? 'before it' : 'at its end'}: {asks}
          </span>
        </span>
        <StateWord
          word={status === 'pending' ? 'waiting' : status}
          tone={gateTone(gate)}
          quiet={status === 'pending'}
        >
          {gateWords(gate)}
        </StateWord>
      </p>
      {status === 'open' && !ended && (
        <p className="text-xs text-muted">
          asked <Ago at={since} suffix=" ago" />
          {until && (
            <>
              , <Left until={until} offset={offset} over="no time" /> left
            </>
          )}
        </p>
      )}
      {approvals.map(({ actor, at: when, reason }) => (
        <p key={actor} className="text-xs break-words">
          {actor} approved <Ago at={when} suffix=" ago" />
          {reason && `: ${reason}`}
        </p>
      ))}
      {last && (
        <p
          className={`text-xs break-words ${last.verdict === 'bad' ? 'text-bad' : 'text-muted'}`}
          title={exactly(last.at)}
        >
          last: {last.verdict} {last.detail} <Ago at={last.at} suffix=" ago" />
          {by && ` by ${MEASURED_BY[by]}`}
          {bad > 0 && `, ${bad} bad so far`}
        </p>
      )}
      {status === 'open' && unknownSince && !ended && (
        <p className="text-xs text-warn">
          not measurable for <Ago at={unknownSince} />: nothing counts meanwhile
        </p>
      )}
      {recent.length > 1 && (
        <details className="text-xs text-muted">
          <summary className="cursor-pointer">the last {recent.length} measurements</summary>
          <ol aria-label={`Measurements of ${name}`}>
            {recent.toReversed().map((one) => (
              <li key={one.at} title={exactly(one.at)} className="break-words">
                <span className={one.verdict === 'bad' ? 'text-bad' : ''}>{one.verdict}</span> {one.detail}{' '}
                <Ago at={one.at} suffix=" ago" />
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}
