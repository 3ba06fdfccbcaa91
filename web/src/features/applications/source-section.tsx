import type { ApplicationView } from '@muster/api';
import type { ReactNode } from 'react';
import { exactly } from '../../lib/time.ts';
import { Facts, Section } from '../../ui/drawer.tsx';
import { Ago } from '../../ui/parts.tsx';
import { shortCommit, shownRevision } from './state.ts';

/** Where an Application comes from, what is released of it, and what is newer. */
export function SourceSection({ app }: { app: ApplicationView }) {
  const { source, sources, revision, latestCommit, destination } = app;
  return (
    <Section title="Source">
      <Facts
        facts={[
          [
            'Revision',
            revision ? (
              <span key="revision">
                <code className="font-mono text-xs" title={revision.commit}>
                  {shownRevision(app)}
                </code>{' '}
                {revision.message}
              </span>
            ) : (
              'nothing rendered yet'
            ),
          ],
          [
            'By',
            revision?.author && (
              <>
                {revision.author}
                {revision.at && (
                  <span className="text-muted">
                    , released <Ago at={revision.at} suffix=" ago" />
                  </span>
                )}
              </>
            ),
          ],
          [
            'Newer',
            !sources && latestCommit && (
              <span className="text-warn">
                <code className="font-mono text-xs">{shortCommit(latestCommit)}</code> is at{' '}
                {source.targetRevision} and{' '}
                {revision?.unchangedBy ? 'changes nothing here' : 'not assigned yet'}
              </span>
            ),
          ],
          ...(sources?.map((one, i): [string, ReactNode] => [
            `Source ${i + 1}`,
            <SourceLine key={one.name ?? one.ref ?? i} source={one} />,
          ]) ?? [
            ['Follows', `${source.targetRevision} of ${source.repoURL}`] as [string, ReactNode],
            ['Path', source.path ?? source.chart] as [string, ReactNode],
          ]),
          [
            'Into',
            `${destination.namespace || '(no namespace)'} on ${destination.cluster ?? destination.server}`,
          ],
          ['Set', app.set],
          ['Project', app.project],
          ['Applies', app.automated ? 'by itself' : 'when somebody syncs it'],
          ['State since', app.since && exactly(app.since)],
        ]}
      />
    </Section>
  );
}

/** One of several sources: what it follows, what is released of it, and what is newer. */
function SourceLine({ source }: { source: NonNullable<ApplicationView['sources']>[number] }) {
  const { name, ref, repoURL, path, chart, targetRevision, commit, latestCommit } = source;
  const place = path ?? chart;
  return (
    <span className="break-words">
      {name && <span className="font-medium">{name} </span>}
      {ref && <code className="font-mono text-xs">${ref} </code>}
      {place && `${place} in `}
      {targetRevision} of {repoURL}
      {commit && (
        <>
          {' '}
          at{' '}
          <code className="font-mono text-xs" title={commit}>
            {shortCommit(commit)}
          </code>
        </>
      )}
      {latestCommit && (
        <span className="text-warn">
          , <code className="font-mono text-xs">{shortCommit(latestCommit)}</code>{' '}
          {source.unchanged ? 'changes nothing here' : 'is there and not assigned yet'}
        </span>
      )}
    </span>
  );
}
