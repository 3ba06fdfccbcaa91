import type { RolloutDetail, RolloutView } from '@muster/api';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ErrorNotice, StaleNotice } from '../../ui/notice.tsx';
import { BackButton, PageTitle } from '../../ui/page-head.tsx';
import { Ago, Chip, SkeletonRows } from '../../ui/parts.tsx';
import { useFleetSearch } from '../fleet/use-search.ts';
import { CompareLink } from '../compare/compare-link.tsx';
import { comparedByRollout } from '../compare/names.ts';
import { allows } from '../session/permissions.ts';
import { sessionQuery } from '../session/queries.ts';
import { hubOffset } from './hub-time.ts';
import { Log } from './log.tsx';
import type { PartProps } from './part-props.ts';
import { PhaseWord, ReleaseLine, RolloutLink } from './parts.tsx';
import { rolloutQuery } from './queries.ts';
import { hasEnded } from './rollout-state.ts';
import { Stages } from './stages.tsx';
import { Standing } from './standing.tsx';
import { Targets } from './targets.tsx';
import { VerbButtons } from '../../ui/verb-buttons.tsx';
import { VerbDialog } from './verb-dialog.tsx';
import { type Ask, type May, rolloutVerbs } from './verbs.ts';

/** One rollout: where it is and what it waits for, its stages, its targets, and how it came about. */
export function RolloutPage({ id }: { id: string }) {
  const [, change] = useFleetSearch();
  const { data, error, dataUpdatedAt, refetch } = useQuery(rolloutQuery(id));
  const again = () => void refetch();
  return (
    <div className="h-full overflow-y-auto">
      <BackButton onClick={() => change({ rollout: undefined, view: 'rollouts' })}>All rollouts</BackButton>
      {data && error && <StaleNotice error={error} at={dataUpdatedAt} retry={again} />}
      {data ? (
        <Content rollout={data} offset={hubOffset(data.now, dataUpdatedAt)} />
      ) : error ? (
        <ErrorNotice error={error} retry={again} />
      ) : (
        <SkeletonRows count={8} />
      )}
    </div>
  );
}

function Content({ rollout, offset }: { rollout: RolloutDetail; offset: number }) {
  const [, change] = useFleetSearch();
  const { data: session } = useQuery(sessionQuery);
  const [ask, setAsk] = useState<Ask>();
  const [told, setTold] = useState('');
  const { project } = rollout;
  const scope = project || '*';
  const may: May = {
    operate: allows(session, 'operator', scope),
    approve: allows(session, 'approver', scope),
    admin: allows(session, 'admin', scope),
    project,
  };
  const done = ({ verb }: Ask, after: RolloutView) => {
    setAsk(undefined);
    setTold(`The hub took it: ${verb}.`);
    // To try it again, or to go back after it has ended, is a rollout of its own.
    if (after.id !== rollout.id) change({ rollout: after.id });
  };
  return (
    <article aria-labelledby="rollout-title" className="pb-8">
      <Head rollout={rollout} may={may} onAsk={setAsk} />
      <p role="status" className="px-4 text-muted">
        {told}
      </p>
      <Standing rollout={rollout} offset={offset} may={may} onAsk={setAsk} />
      <Stages rollout={rollout} offset={offset} may={may} onAsk={setAsk} />
      <Targets rollout={rollout} offset={offset} may={may} onAsk={setAsk} />
      <Log id={rollout.id} />
      {ask && <VerbDialog rollout={rollout} ask={ask} close={() => setAsk(undefined)} onDone={done} />}
    </article>
  );
}

function Head({ rollout, may, onAsk }: Omit<PartProps, 'offset'>) {
  const [, change] = useFleetSearch();
  const compared = comparedByRollout(rollout);
  const { owner, ownerKind, project, policy, kind, createdAt, endedAt, supersededBy } = rollout;
  return (
    <header className="flex flex-wrap items-start gap-x-6 gap-y-2 px-4 pt-1 pb-2">
      <div className="min-w-0 flex-1 basis-80">
        <PageTitle id="rollout-title" about={rollout.id} state={<PhaseWord rollout={rollout} />}>
          {owner}
        </PageTitle>
        <p className="text-sm">
          {kind === 'undo' && <Chip title="Somebody goes back to an earlier release">undo</Chip>}{' '}
          <ReleaseLine rollout={rollout} author />{' '}
          {compared && <CompareLink compared={compared}>What is different</CompareLink>}
        </p>
        <p className="flex flex-wrap gap-x-4 text-muted">
          <span>
            policy{' '}
            <button type="button" className="text-accent hover:underline" onClick={() => change({ policy })}>
              {policy}
            </button>
          </span>
          {project && <span>project {project}</span>}
          {ownerKind === 'application' && <span>an Application</span>}
          <span>
            began <Ago at={createdAt} suffix=" ago" />
          </span>
          {endedAt && (
            <span>
              ended <Ago at={endedAt} suffix=" ago" />
            </span>
          )}
          {supersededBy && (
            <span>
              replaced by <RolloutLink id={supersededBy}>a newer one</RolloutLink>
            </span>
          )}
        </p>
      </div>
      <VerbButtons
        label={hasEnded(rollout) ? 'What can be done after it' : 'Steer the rollout'}
        offers={rolloutVerbs(rollout, may)}
        onAsk={onAsk}
      />
    </header>
  );
}
