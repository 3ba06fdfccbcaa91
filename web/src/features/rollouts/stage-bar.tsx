import type { RolloutStageSummary } from '@muster/api';
import { FILL } from '../../ui/tone.ts';
import { GROUPS, GROUP_WORDS, groupCounts, stageWords } from './rollout-state.ts';

/** The stages of a rollout side by side, each as long as any other, filled by what its targets are. */
export function StageBars({
  stages,
  current,
  failed,
}: {
  stages: readonly RolloutStageSummary[];
  current?: string | undefined;
  /** The stage that failed, of which nothing else may be known any more. */
  failed?: string | undefined;
}) {
  return (
    <ol aria-label="Stages" className="flex min-w-0 gap-1.5">
      {stages.map((stage) => (
        <li key={stage.name} className="min-w-0 flex-1" title={saysOf(stage, failed)}>
          <span className="sr-only">{saysOf(stage, failed)}</span>
          <span aria-hidden className="flex items-baseline justify-between gap-1 text-[11px]">
            <span className={`truncate ${stage.name === current ? 'font-semibold' : 'text-muted'}`}>
              {stage.name}
            </span>
            <span className="whitespace-nowrap text-muted">
              {stage.name === failed && <span className="font-semibold text-bad">failed </span>}
              <Counted stage={stage} />
            </span>
          </span>
          <StageBar stage={stage} failed={stage.name === failed} />
        </li>
      ))}
    </ol>
  );
}

/** Which stage failed is told first. */
function saysOf(stage: RolloutStageSummary, failed: string | undefined): string {
  const words = stageWords(stage);
  return stage.name === failed ? words.replace(`${stage.name}: `, `${stage.name}: failed, `) : words;
}

function Counted({ stage: { states, size, done } }: { stage: RolloutStageSummary }) {
  const { failed } = groupCounts([{ states }]);
  if (Object.keys(states).length === 0) return <>{size}</>;
  return (
    <>
      {failed > 0 && <span className="font-semibold text-bad">{failed}✗ </span>}
      {done}/{size}
    </>
  );
}

/** One bar, in the order of urgency from its end: what is done stands first. */
export function StageBar({ stage, failed = false }: { stage: RolloutStageSummary; failed?: boolean }) {
  const counts = groupCounts([stage]);
  const total = GROUPS.reduce((sum, group) => sum + counts[group], 0);
  const order = ['done', 'moving', 'back', 'failed', 'out', 'waiting'] as const;
  return (
    <span aria-hidden className="flex h-2 gap-px overflow-hidden rounded-full bg-raised">
      {total === 0 && failed && <span className="h-full w-full bg-bad" />}
      {total === 0 && !failed && stage.step === 'passed' && <span className="h-full w-full bg-good" />}
      {order.map(
        (group) =>
          counts[group] > 0 &&
          group !== 'waiting' && (
            <span
              key={group}
              className={`h-full ${FILL[GROUP_WORDS[group].tone]}`}
              style={{ width: `max(3px, ${(100 * counts[group]) / total}%)` }}
            />
          ),
      )}
    </span>
  );
}
