import { useQuery } from '@tanstack/react-query';
import { ApplicationPanel } from '../applications/application-panel.tsx';
import { ListView } from '../applications/list-view.tsx';
import { ClusterPanel } from '../clusters/cluster-panel.tsx';
import { useLive } from '../live/use-live.ts';
import { sessionQuery } from '../session/queries.ts';
import { FleetHeader } from './fleet-header.tsx';
import { MatrixView } from './matrix-view.tsx';
import { Toolbar } from './toolbar.tsx';
import { useFleetSearch } from './use-search.ts';

/** Clusters and what runs on them, live. */
export function FleetPage() {
  const live = useLive();
  const [search, change] = useFleetSearch();
  const { data: session } = useQuery(sessionQuery);
  return (
    <div className="flex h-screen flex-col">
      {session && <FleetHeader session={session} live={live} />}
      <Toolbar />
      <main className="min-h-0 flex-1 border-t border-line bg-panel">
        {search.view === 'list' ? <ListView /> : <MatrixView />}
      </main>
      {search.app !== undefined ? (
        <ApplicationPanel key={search.app} appKey={search.app} onClose={() => change({ app: undefined })} />
      ) : (
        search.about !== undefined && (
          <ClusterPanel key={search.about} name={search.about} onClose={() => change({ about: undefined })} />
        )
      )}
    </div>
  );
}
