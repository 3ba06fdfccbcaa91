import type { ReleaseDiff } from '@muster/api';
import { differenceOf } from '@muster/api/markdown';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { hub } from '../../lib/hub.ts';
import { TextField } from '../../ui/field.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { BackButton, PageTitle } from '../../ui/page-head.tsx';
import { Ago, Button, SkeletonRows } from '../../ui/parts.tsx';
import { useFleetSearch } from '../fleet/use-search.ts';
import { Commits } from './commits.tsx';
import { Groups } from './groups.tsx';
import { Images } from './images.tsx';
import type { Compared } from './names.ts';

const diffQuery = ({ a, b }: Compared) =>
  queryOptions({
    queryKey: ['release-diff', a, b],
    queryFn: ({ signal }) => hub.releases.diff({ a, b }, { signal }),
  });

/** What is different between two releases, clusters or environments: commits, images, manifests. */
export function ComparePage({ a, b }: Compared) {
  const [search, change] = useFleetSearch();
  const { data, error, isFetching, dataUpdatedAt, refetch } = useQuery(diffQuery({ a, b }));
  const back = search.promotion ?? (search.rollout === undefined ? undefined : 'the rollout');
  return (
    <div className="h-full overflow-y-auto" aria-busy={isFetching}>
      <BackButton onClick={() => change({ a: undefined, b: undefined })}>
        {back === undefined ? 'Back' : `Back to ${back}`}
      </BackButton>
      <article aria-labelledby="compare-title" className="pb-8">
        <header className="px-4 pt-1 pb-2">
          <PageTitle id="compare-title" about="compare">
            What is different
          </PageTitle>
          <Names key={`${a} ${b}`} a={a} b={b} />
          {data && (
            <p className="mt-1 text-muted">
              compared <Ago at={new Date(dataUpdatedAt).toISOString()} suffix=" ago" />.{' '}
              <button type="button" className="text-accent hover:underline" onClick={() => void refetch()}>
                Compare again
              </button>
            </p>
          )}
        </header>
        {error ? (
          <ErrorNotice error={error} retry={() => void refetch()} />
        ) : data ? (
          <Found diff={data} />
        ) : (
          <SkeletonRows count={6} />
        )}
      </article>
    </div>
  );
}

function Found({ diff }: { diff: ReleaseDiff }) {
  const { a, b, same, notices, commits, images, moreImages, groups, moreGroups } = diff;
  const words = differenceOf(diff);
  return (
    <>
      <section aria-label="Summary" className="mx-4 rounded-md border border-line px-3 py-2">
        <p className={`font-medium ${same ? 'text-good' : ''}`}>
          {words.charAt(0).toUpperCase() + words.slice(1)}.
        </p>
        <dl className="mt-1 grid grid-cols-[1.5rem_1fr] text-muted">
          <dt>A</dt>
          <dd className="min-w-0 break-words">
            {a.name}: {a.label}
          </dd>
          <dt>B</dt>
          <dd className="min-w-0 break-words">
            {b.name}: {b.label}
          </dd>
        </dl>
        {notices.map((notice) => (
          <p key={notice} className="mt-1 break-words text-warn">
            {notice}
          </p>
        ))}
      </section>
      <Commits ranges={commits} />
      <Images images={images} more={moreImages} />
      <Groups groups={groups} more={moreGroups} />
    </>
  );
}

/** The two names, to change: `[namespace/]name[#number][@cluster]`. */
function Names({ a, b }: Compared) {
  const [, change] = useFleetSearch();
  const [names, setNames] = useState<Compared>({ a, b });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const next = { a: names.a.trim(), b: names.b.trim() };
    if (next.a && next.b) change(next);
  };
  const field = (side: 'a' | 'b') => (
    <label className="flex min-w-0 flex-1 basis-60 items-center gap-1.5">
      <span className="text-muted uppercase">{side}</span>
      <TextField
        value={names[side]}
        required
        spellCheck={false}
        title="[namespace/]name[#number][@cluster] of an ApplicationSet or an Application"
        onChange={(event) => setNames({ ...names, [side]: event.target.value })}
        className="w-full min-w-0 font-mono text-xs"
      />
    </label>
  );
  return (
    <form onSubmit={submit} className="mt-1.5 flex max-w-4xl flex-wrap items-center gap-2">
      {field('a')}
      {field('b')}
      <Button type="submit">Compare</Button>
      <Button onClick={() => change({ a: b, b: a })}>Swap</Button>
    </form>
  );
}
