import type { PromotionView } from '@muster/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChevronRight } from 'lucide-react';
import { CommandLine, ErrorNotice, Notice, StaleNotice } from '../../ui/notice.tsx';
import { Ago, Chip, SkeletonRows, StateWord } from '../../ui/parts.tsx';
import { EDGE, TEXT } from '../../ui/tone.ts';
import { changedSearch } from '../fleet/search.ts';
import { useFleetSearch } from '../fleet/use-search.ts';
import { inLocalTime } from '../rollouts/hub-time.ts';
import { changeStanding, environmentStanding, promotionStanding } from './promotion-state.ts';
import { promotionsQuery } from './queries.ts';

/** Promotions: what each waits for, environments left to right. */
export function PromotionsView() {
  const [search] = useFleetSearch();
  const { data, error, dataUpdatedAt, refetch } = useQuery(promotionsQuery);
  const again = () => void refetch();
  if (!data) return error ? <ErrorNotice error={error} retry={again} /> : <SkeletonRows count={6} />;
  const words = (search.q ?? '').toLowerCase();
  const shown = data.items.filter(({ name }) => name.toLowerCase().includes(words));
  return (
    <div tabIndex={0} aria-label="Promotions" className="h-full overflow-y-auto">
      {error && <StaleNotice error={error} at={dataUpdatedAt} retry={again} />}
      {shown.length === 0 && (words ? <Notice title="No promotion is called so" /> : <NoPromotions />)}
      <ul>
        {shown.map((promotion) => (
          <Row key={promotion.name} promotion={promotion} />
        ))}
      </ul>
    </div>
  );
}

function Row({ promotion }: { promotion: PromotionView }) {
  const { name, project, repository, environments } = promotion;
  const { word, icon, tone, says, since } = promotionStanding(promotion);
  const why = inLocalTime(says, Date.now());
  return (
    <li
      data-promotion={name}
      className={`relative grid gap-x-6 gap-y-1.5 border-b border-l-3 border-b-line px-4 py-2.5 hover:bg-raised/60 lg:grid-cols-[minmax(200px,1fr)_minmax(240px,1.4fr)_minmax(260px,1.6fr)] ${EDGE[tone]}`}
    >
      <div className="min-w-0">
        <p className="flex items-baseline gap-2">
          <Link
            to="/"
            search={(before) => changedSearch(before, { view: 'promotions', promotion: name })}
            className="min-w-0 truncate font-semibold after:absolute after:inset-0"
          >
            {name}
          </Link>
          {project !== 'default' && <Chip title={`Project ${project}`}>{project}</Chip>}
        </p>
        <p className="truncate text-muted" title={repository}>
          {repository}
        </p>
      </div>
      <div className="min-w-0">
        <p className="flex flex-wrap items-center gap-x-2">
          <StateWord word={icon} tone={tone}>
            {word}
          </StateWord>
          {since && (
            <span className="text-muted">
              for <Ago at={since} />
            </span>
          )}
        </p>
        <p className={`line-clamp-2 break-words ${tone === 'bad' ? 'text-bad' : 'text-muted'}`} title={why}>
          {why}
        </p>
      </div>
      <p className="flex min-w-0 flex-wrap items-center gap-x-1.5 gap-y-0.5 self-center">
        {environments.map((environment, i) => {
          const { current, passed } = environment;
          const at = current ? changeStanding(current) : environmentStanding({ passed });
          return (
            <span key={environment.name} className="inline-flex items-center gap-x-1.5">
              {i > 0 && <ChevronRight className="size-3 text-muted" aria-label="then" />}
              <StateWord word={at.icon} tone={at.tone}>
                <span className="text-ink">{environment.name}</span>
                <span className="sr-only">: {at.word}</span>
                {environment.release && !current && (
                  <span className={`ml-1 ${TEXT.idle}`}>#{environment.release.number}</span>
                )}
              </StateWord>
            </span>
          );
        })}
      </p>
    </li>
  );
}

function NoPromotions() {
  return (
    <Notice title="No promotions yet">
      <p>
        Where environments have folders or branches of their own, a Promotion proposes what is healthy in one
        of them to the next, in Git: by a commit or a pull request. An administrator applies it, and it
        appears here:
      </p>
      <CommandLine
        text={`muster apply -f promotion.yaml\n\napiVersion: muster.dev/v1alpha1\nkind: Promotion\nmetadata: { name: web }\nspec:\n  repository: https://git.example.com/fleet.git\n  environments:\n    - { name: staging, applicationSet: web-staging, path: envs/staging }\n    - { name: prod, applicationSet: web-prod, path: envs/prod, production: true }`}
      />
    </Notice>
  );
}
