import type { ApplicationView } from '@muster/api';
import { useQuery } from '@tanstack/react-query';
import { ArrowLeft, X } from 'lucide-react';
import { Tabs } from 'radix-ui';
import { useEffect, useRef, useState } from 'react';
import { ErrorNotice } from '../../ui/notice.tsx';
import { SkeletonRows, StateWord } from '../../ui/parts.tsx';
import { healthTone, keyOf } from '../applications/state.ts';
import type { ObjectTab } from '../fleet/search.ts';
import { useFleetSearch } from '../fleet/use-search.ts';
import { ownsPods } from './containers.ts';
import { Logs } from './logs.tsx';
import { ManifestTab } from './manifest-tab.tsx';
import { DiffTab } from './diff-tab.tsx';
import { EventsTab } from './events-tab.tsx';
import { ObjectActions } from './object-actions.tsx';
import { type ObjectName, placeOf, readKey } from './object-key.ts';
import { objectQuery, treeQuery } from './queries.ts';
import { hasPods } from './tree.ts';

/** One object of an Application, beside it: what it is, what differs, what happened, what it writes, what can be done. */
export function ObjectPanel({ app, resource }: { app: ApplicationView; resource: string }) {
  const [, change] = useFleetSearch();
  const name = readKey(resource);
  const close = () => change({ object: undefined, tab: undefined });
  if (name) return <Content app={app} resource={resource} name={name} close={close} />;
  return (
    <>
      <Header title={resource} close={close} />
      <p className="p-4 text-muted">This is not the name of an object: group/Kind/namespace/name.</p>
    </>
  );
}

interface ContentProps {
  app: ApplicationView;
  resource: string;
  name: ObjectName;
  close: () => void;
}

function Content({ app, resource, name, close }: ContentProps) {
  const appKey = keyOf(app);
  const [search, change] = useFleetSearch();
  const { data, error, refetch } = useQuery(objectQuery(appKey, resource, false));
  const tree = useQuery({ ...treeQuery(appKey), enabled: false }).data;
  const withLogs = ownsPods(name.kind) || (tree !== undefined && hasPods(tree.nodes, resource));
  const tabs: [ObjectTab, string][] = [
    ['manifest', 'Manifest'],
    ...(data?.managed === false ? [] : [['diff', 'Diff'] as [ObjectTab, string]]),
    ['events', 'Events'],
    ...(withLogs ? [['logs', 'Logs'] as [ObjectTab, string]] : []),
  ];
  const tab = tabs.some(([each]) => each === search.tab) ? search.tab! : 'manifest';
  return (
    <>
      <Header title={`${name.kind} ${placeOf(name)}`} close={close}>
        {data?.health && <StateWord word={data.health} tone={healthTone(data.health)} />}
        {data && !data.live && <span className="text-warn">not in the cluster</span>}
        {data?.managed === false && <span className="text-muted">not named in Git, owned by what is</span>}
        {data?.healthMessage && data.health !== 'Healthy' && (
          <p className="w-full break-words">{data.healthMessage}</p>
        )}
      </Header>
      {data && <ObjectActions app={app} resource={resource} name={name} view={data} />}
      <Tabs.Root
        value={tab}
        onValueChange={(next) => change({ tab: next === 'manifest' ? undefined : (next as ObjectTab) }, true)}
        className="flex min-h-0 flex-1 flex-col"
      >
        <Tabs.List aria-label="What to look at" className="flex gap-1 border-b border-line px-3">
          {tabs.map(([value, label]) => (
            <Tabs.Trigger
              key={value}
              value={value}
              className="-mb-px border-b-2 border-transparent px-2 py-1.5 text-muted hover:text-ink data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-ink"
            >
              {label}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {/* Only the chosen tab is there, so only that one asks. */}
        <Tabs.Content value={tab} className="flex min-h-0 flex-1 flex-col outline-none">
          {tab === 'manifest' && error && <ErrorNotice error={error} retry={() => void refetch()} />}
          {tab === 'manifest' && !data && !error && <SkeletonRows count={6} />}
          {tab === 'manifest' && data && <ManifestTab view={data} />}
          {tab === 'diff' && <DiffTab appKey={appKey} resource={resource} />}
          {tab === 'events' && <EventsTab appKey={appKey} resource={resource} />}
          {tab === 'logs' && <Logs app={app} resource={resource} object={data?.live} />}
        </Tabs.Content>
      </Tabs.Root>
    </>
  );
}

function Header({
  title,
  close,
  children,
}: {
  title: string;
  close: () => void;
  children?: React.ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [opener] = useState(() => document.activeElement);
  // Whoever opened it by keyboard goes on reading here, and afterwards where it was.
  useEffect(() => {
    heading.current?.focus();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, [opener]);
  return (
    <header className="flex items-start gap-2 border-b border-line px-3 py-2">
      <button
        type="button"
        aria-label="Back to the Application"
        onClick={close}
        className="rounded p-1 text-muted hover:bg-raised hover:text-ink lg:hidden"
      >
        <ArrowLeft className="size-4" />
      </button>
      <div className="min-w-0 flex-1 px-1">
        <h3 ref={heading} tabIndex={-1} className="font-semibold break-words outline-none">
          {title}
        </h3>
        <div className="flex flex-wrap items-center gap-x-3">{children}</div>
      </div>
      <button
        type="button"
        aria-label="Close the object"
        onClick={close}
        className="hidden rounded p-1 text-muted hover:bg-raised hover:text-ink lg:block"
      >
        <X className="size-4" />
      </button>
    </header>
  );
}
