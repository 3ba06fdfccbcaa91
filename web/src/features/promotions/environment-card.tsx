import type { PromotionChangeView, PromotionEnvironmentView } from '@muster/api';
import { shortCommit } from '@muster/api/commits';
import { Ago, Chip, StateWord } from '../../ui/parts.tsx';
import { EDGE } from '../../ui/tone.ts';
import { VerbButtons } from '../../ui/verb-buttons.tsx';
import { CompareLink } from '../compare/compare-link.tsx';
import { comparedByPromotion } from '../compare/names.ts';
import { useFleetSearch } from '../fleet/use-search.ts';
import { inLocalTime } from '../rollouts/hub-time.ts';
import { Left } from '../rollouts/parts.tsx';
import { changeSays, changeStanding, environmentStanding, howWords, placeWords } from './promotion-state.ts';
import { PullRequestLink } from './pull-request-link.tsx';
import { type PromotionAsk, type PromotionMay, changeVerbs } from './verbs.ts';

interface CardProps {
  environment: PromotionEnvironmentView;
  before: PromotionEnvironmentView | undefined;
  may: PromotionMay;
  onAsk: (ask: PromotionAsk) => void;
}

/** One environment: what it is at, what is on its way to it, and what can be done about that. */
export function EnvironmentCard({ environment, before, may, onAsk }: CardProps) {
  const { name, production, passed, passedAt, standing, current, last } = environment;
  const change = current ?? last;
  const at = environmentStanding({ passed });
  const edge = current ? changeStanding(current).tone : at.tone;
  return (
    <section
      aria-label={name}
      data-environment={name}
      className={`flex min-w-0 flex-1 flex-col gap-1.5 rounded-md border border-line p-3 ${edge === 'good' ? '' : `border-l-3 ${EDGE[edge]}`}`}
    >
      <p className="flex items-baseline justify-between gap-2">
        <span className="min-w-0 truncate font-semibold" title={name}>
          {name} {production && <Chip title="What goes here waits for an approval">production</Chip>}
        </span>
        <StateWord word={at.icon} tone={at.tone}>
          {at.word}
          {passedAt && (
            <span className="text-muted">
              {' '}
              for <Ago at={passedAt} />
            </span>
          )}
        </StateWord>
      </p>
      <p className="break-words">{inLocalTime(standing, Date.now())}</p>
      <p className="text-xs break-words text-muted">
        <Owner environment={environment} /> in <code className="font-mono">{placeWords(environment)}</code>
      </p>
      {before && change && (
        <div className="mt-auto border-t border-line pt-1.5">
          <Change change={change} from={before.name} />
          <p className="flex flex-wrap gap-x-3 text-xs text-muted">
            {howWords(environment)}
            <CompareLink compared={comparedByPromotion(environment, before)}>What is different</CompareLink>
          </p>
          <div className="mt-1.5">
            <VerbButtons
              label={`The change for ${name}`}
              offers={changeVerbs(environment, may)}
              onAsk={onAsk}
              primary={current?.asks !== undefined && current.asks.count > 0}
            />
          </div>
        </div>
      )}
      {before && !change && (
        <p className="mt-auto border-t border-line pt-1.5 text-muted">
          Nothing is on its way to it:{' '}
          {before.passed ? 'the hub looks at it next' : `${before.name} has not passed yet`}.
        </p>
      )}
    </section>
  );
}

function Owner({ environment: { owner, ownerKind } }: { environment: PromotionEnvironmentView }) {
  const [, change] = useFleetSearch();
  const open = () =>
    ownerKind === 'Application'
      ? change({ app: owner, about: undefined })
      : change({ view: 'list', set: owner, promotion: undefined, q: undefined });
  return (
    <button
      type="button"
      className="text-accent hover:underline"
      onClick={open}
      title={`Show ${ownerKind} ${owner}`}
    >
      {owner}
    </button>
  );
}

function Change({ change, from }: { change: PromotionChangeView; from: string }) {
  const { release, commit, since, approvals, asks, retryAt, pullRequest, endedAt } = change;
  const { word, icon, tone } = changeStanding(change);
  const says = inLocalTime(changeSays(change), Date.now());
  return (
    <div className="space-y-1">
      <p className="flex flex-wrap items-baseline justify-between gap-x-2">
        <span>
          release {release} of {from}{' '}
          <code className="font-mono text-xs text-muted" title={commit}>
            {shortCommit(commit)}
          </code>
        </span>
        <StateWord word={icon} tone={tone}>
          {word}
          <span className="text-muted">
            {' '}
            {endedAt ? (
              <Ago at={endedAt} suffix=" ago" />
            ) : (
              <>
                for <Ago at={since} />
              </>
            )}
          </span>
        </StateWord>
      </p>
      {says && <p className={`break-words ${tone === 'bad' ? 'text-bad' : ''}`}>{says}</p>}
      {asks && asks.count > 0 && (
        <p className="text-muted">
          Expires in <Left until={asks.until} offset={0} over="a moment" />.
        </p>
      )}
      {retryAt && (
        <p className="text-muted">
          Tried again in <Left until={retryAt} offset={0} over="a moment" />.
        </p>
      )}
      {pullRequest && (
        <p>
          <PullRequestLink pullRequest={pullRequest} />
        </p>
      )}
      {approvals.map(({ actor, at, reason }) => (
        <p key={actor} className="text-xs break-words text-muted">
          {actor} approved <Ago at={at} suffix=" ago" />
          {reason && `: ${reason}`}
        </p>
      ))}
    </div>
  );
}
