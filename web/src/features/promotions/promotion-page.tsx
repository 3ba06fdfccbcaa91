import type { PromotionView } from '@muster/api';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ArrowRight } from 'lucide-react';
import { useState } from 'react';
import { hub } from '../../lib/hub.ts';
import { AskDialog } from '../../ui/ask-dialog.tsx';
import { ErrorNotice, StaleNotice } from '../../ui/notice.tsx';
import { BackButton, PageTitle } from '../../ui/page-head.tsx';
import { Ago, SkeletonRows, StateWord } from '../../ui/parts.tsx';
import { VerbButtons } from '../../ui/verb-buttons.tsx';
import { useFleetSearch } from '../fleet/use-search.ts';
import { allows } from '../session/permissions.ts';
import { sessionQuery } from '../session/queries.ts';
import { EnvironmentCard } from './environment-card.tsx';
import { PastChanges } from './past-changes.tsx';
import { promotionStanding } from './promotion-state.ts';
import { PROMOTIONS, promotionQuery } from './queries.ts';
import { type PromotionAsk, type PromotionMay, promotionText, promotionVerbs } from './verbs.ts';

/** One promotion: environments left to right, what is on its way to each and what that waits for, and what happened. */
export function PromotionPage({ name }: { name: string }) {
  const [, change] = useFleetSearch();
  const { data, error, dataUpdatedAt, refetch } = useQuery(promotionQuery(name));
  const again = () => void refetch();
  return (
    <div className="h-full overflow-y-auto">
      <BackButton onClick={() => change({ view: 'promotions', promotion: undefined })}>
        All promotions
      </BackButton>
      {data && error && <StaleNotice error={error} at={dataUpdatedAt} retry={again} />}
      {data ? (
        <Content promotion={data} />
      ) : error ? (
        <ErrorNotice error={error} retry={again} />
      ) : (
        <SkeletonRows count={6} />
      )}
    </div>
  );
}

function Content({ promotion }: { promotion: PromotionView }) {
  const { data: session } = useQuery(sessionQuery);
  const [ask, setAsk] = useState<PromotionAsk>();
  const [told, setTold] = useState('');
  const { name, project, environments, history = [] } = promotion;
  const may: PromotionMay = {
    operate: allows(session, 'operator', project),
    approve: allows(session, 'approver', project),
    administer: allows(session, 'admin', '*'),
    name: session?.name ?? '',
    project,
  };
  return (
    <article aria-labelledby="promotion-title" className="pb-8">
      <Head promotion={promotion} may={may} onAsk={setAsk} />
      <p role="status" className="px-4 text-muted empty:hidden">
        {told}
      </p>
      <section aria-label="Environments" className="px-4 pt-3">
        <h3 className="mb-1.5 text-xs font-semibold text-muted">Environments</h3>
        <ol className="flex flex-col gap-2 lg:flex-row lg:flex-wrap">
          {environments.map((environment, i) => (
            <li
              key={environment.name}
              className="flex min-w-0 flex-col gap-2 lg:flex-1 lg:basis-72 lg:flex-row"
            >
              {i > 0 && (
                <ArrowRight
                  className="size-4 shrink-0 self-center text-muted max-lg:rotate-90"
                  aria-label={`What passes ${environments[i - 1]!.name} goes on to`}
                />
              )}
              <EnvironmentCard
                environment={environment}
                before={environments[i - 1]}
                may={may}
                onAsk={setAsk}
              />
            </li>
          ))}
        </ol>
      </section>
      <PastChanges changes={history.filter(({ endedAt }) => endedAt !== undefined)} />
      {ask && (
        <Dialog
          promotion={promotion}
          ask={ask}
          close={() => setAsk(undefined)}
          onDone={() => {
            setAsk(undefined);
            setTold(`The hub took it: ${ask.verb} ${ask.environment ?? name}.`);
          }}
        />
      )}
    </article>
  );
}

function Head({
  promotion,
  may,
  onAsk,
}: {
  promotion: PromotionView;
  may: PromotionMay;
  onAsk: (ask: PromotionAsk) => void;
}) {
  const { name, project, repository, paused, lookedAt, updatedAt, updatedBy } = promotion;
  const { word, icon, tone } = promotionStanding(promotion);
  return (
    <header className="flex flex-wrap items-start gap-x-6 gap-y-2 px-4 pt-1 pb-2">
      <div className="min-w-0 flex-1 basis-80">
        <PageTitle
          id="promotion-title"
          about={name}
          state={
            <StateWord word={icon} tone={tone}>
              {word}
            </StateWord>
          }
        >
          {name}
        </PageTitle>
        {paused && (
          <p className="text-warn">
            Paused by {paused.actor} <Ago at={paused.at} suffix=" ago" />
            {paused.reason && `: ${paused.reason}`}
          </p>
        )}
        <p className="flex flex-wrap gap-x-4 text-muted">
          <span className="break-all">{repository}</span>
          <span>project {project}</span>
          <span>{lookedAt ? <Looked at={lookedAt} /> : 'not looked at yet'}</span>
          <span>
            changed by {updatedBy} <Ago at={updatedAt} suffix=" ago" />
          </span>
        </p>
      </div>
      <VerbButtons label="Steer the promotion" offers={promotionVerbs(promotion, may)} onAsk={onAsk} />
    </header>
  );
}

function Looked({ at }: { at: string }) {
  return (
    <>
      observed <Ago at={at} suffix=" ago" />
    </>
  );
}

function Dialog({
  promotion,
  ask,
  close,
  onDone,
}: {
  promotion: PromotionView;
  ask: PromotionAsk;
  close: () => void;
  onDone: () => void;
}) {
  const queries = useQueryClient();
  const [, change] = useFleetSearch();
  const { verb, environment } = ask;
  const carryOut = async (reason: string) => {
    if (verb === 'delete') return hub.promotions.remove(promotion.name);
    return hub.promotions.ask(promotion.name, {
      verb,
      reason,
      ...(environment !== undefined && { environment }),
    });
  };
  return (
    <AskDialog
      text={promotionText(promotion, ask)}
      ask={carryOut}
      close={close}
      onDone={() => {
        onDone();
        if (verb === 'delete') change({ view: 'promotions', promotion: undefined });
        void queries.invalidateQueries({ queryKey: [PROMOTIONS] });
      }}
    />
  );
}
