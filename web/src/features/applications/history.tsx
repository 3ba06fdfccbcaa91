import { useQuery } from '@tanstack/react-query';
import { Section } from '../../ui/drawer.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Ago, Skeleton } from '../../ui/parts.tsx';
import { historyQuery } from './queries.ts';
import { shortCommit } from './state.ts';

const SHOWN = 15;

/** What changed and when: releases, and whether the cluster proved that it applied them. */
export function History({ appKey }: { appKey: string }) {
  const { data, error, refetch } = useQuery(historyQuery(appKey));
  if (error) return <ErrorNotice error={error} retry={() => void refetch()} />;
  return (
    <Section title="History">
      {!data && <Skeleton className="h-16" />}
      {data?.releases.length === 0 && <p className="text-muted">Nothing was released yet.</p>}
      <ol className="space-y-1.5">
        {data?.releases.slice(0, SHOWN).map((release) => {
          const applied = data.deployments.find((one) => one.release === release.id);
          return (
            <li key={release.id}>
              <p className="flex items-baseline justify-between gap-3">
                <span className="min-w-0 truncate">
                  <span className="text-muted">#{release.number}</span>{' '}
                  {release.commit && (
                    <code className="font-mono text-xs">
                      {(release.commits ?? [release.commit]).map(shortCommit).join(', ')}
                    </code>
                  )}{' '}
                  {release.removed ? `removed (${release.removed})` : (release.message ?? release.cause)}
                </span>
                <span className="text-muted">
                  <Ago at={release.at} suffix=" ago" />
                </span>
              </p>
              <p className="text-xs text-muted">
                {[release.author, release.cause].filter(Boolean).join(' · ')}
                {applied && (
                  <>
                    {' · '}applied <Ago at={applied.appliedAt} suffix=" ago" />
                    {applied.healthyAt && ', was healthy then'}
                  </>
                )}
              </p>
            </li>
          );
        })}
      </ol>
    </Section>
  );
}
