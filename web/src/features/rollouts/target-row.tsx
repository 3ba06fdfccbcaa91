import type { RolloutTargetView } from '@muster/api';
import { memo } from 'react';
import { StateIcon } from '../../ui/icons.tsx';
import { Ago } from '../../ui/parts.tsx';
import { TEXT } from '../../ui/tone.ts';
import { useFleetSearch } from '../fleet/use-search.ts';
import { Left } from './parts.tsx';
import type { PartProps } from './part-props.ts';
import { GROUP_WORDS, groupOf, groupWord, hasEnded, stateWord } from './rollout-state.ts';
import { VerbButtons } from '../../ui/verb-buttons.tsx';
import { targetVerbs } from './verbs.ts';

/** One Application in one cluster: its state, why, since when, and a way to look at it. */
export const TargetRow = memo(function TargetRow({
  target,
  rollout,
  offset,
  may,
  onAsk,
}: PartProps & { target: RolloutTargetView }) {
  const [, change] = useFleetSearch();
  const { id, application, cluster, stage, state, since, note, connected, blocked, soakUntil, dueAt } =
    target;
  const group = groupOf(state);
  const why = [note, blocked && `held back: ${blocked}`, !connected && 'its agent is not connected']
    .filter(Boolean)
    .join('; ');
  return (
    <div
      data-target={id}
      className="grid grid-cols-[1fr_auto] items-center gap-x-4 px-3 py-1.5 hover:bg-raised/60 md:grid-cols-[minmax(180px,1fr)_170px_110px_minmax(160px,2fr)_110px]"
    >
      <p className="min-w-0 truncate">
        <button
          type="button"
          title={`Show ${application}`}
          className="text-accent hover:underline"
          onClick={() => change({ app: application, tree: undefined })}
        >
          {application.split('/').at(-1)}
        </button>{' '}
        <span className="text-muted">on</span>{' '}
        <button
          type="button"
          className="hover:underline"
          title={`Show the cluster ${cluster}`}
          onClick={() => change({ app: undefined, about: cluster })}
        >
          {cluster}
        </button>
      </p>
      <p className={`inline-flex items-center gap-1 whitespace-nowrap ${TEXT[GROUP_WORDS[group].tone]}`}>
        <StateIcon word={group} />
        {state === 'waiting' ? groupWord(group, hasEnded(rollout)) : stateWord(state)}
        <span className="text-muted">
          <Ago at={since} />
        </span>
      </p>
      <p className="hidden truncate text-muted md:block" title={stage}>
        {stage ?? 'no stage'}
      </p>
      <p className={`min-w-0 text-xs break-words ${group === 'failed' ? 'text-bad' : 'text-muted'}`}>
        {why}
        {soakUntil && (
          <>
            {' '}
            (<Left until={soakUntil} offset={offset} over="the soak is over" /> left)
          </>
        )}
        {dueAt && (
          <>
            {' '}
            (fails in <Left until={dueAt} offset={offset} over="a moment" />)
          </>
        )}
      </p>
      <div className="justify-self-end">
        <VerbButtons label={id} quiet offers={targetVerbs(rollout, target, may)} onAsk={onAsk} />
      </div>
    </div>
  );
});
