import { useQuery } from '@tanstack/react-query';
import { ApplicationPanel } from '../applications/application-panel.tsx';
import { ListView } from '../applications/list-view.tsx';
import { ClusterPanel } from '../clusters/cluster-panel.tsx';
import { ComparePage } from '../compare/compare-page.tsx';
import { useLive } from '../live/use-live.ts';
import { PromotionPage } from '../promotions/promotion-page.tsx';
import { PromotionsView } from '../promotions/promotions-view.tsx';
import { PoliciesView } from '../rollouts/policies-view.tsx';
import { PolicyPanel } from '../rollouts/policy-panel.tsx';
import { RolloutPage } from '../rollouts/rollout-page.tsx';
import { RolloutsView } from '../rollouts/rollouts-view.tsx';
import { sessionQuery } from '../session/queries.ts';
import { FleetHeader } from './fleet-header.tsx';
import { MatrixView } from './matrix-view.tsx';
import { useTitle } from './title.ts';
import { Toolbar } from './toolbar.tsx';
import { useFleetSearch } from './use-search.ts';

/** Clusters and what runs on them, live. */
export function FleetPage() {
  const live = useLive();
  const [search, change] = useFleetSearch();
  const { data: session } = useQuery(sessionQuery);
  useTitle(search);
  return (
    <div className="flex h-screen flex-col">
      {session && <FleetHeader session={session} live={live} />}
      <Toolbar />
      <main className="min-h-0 flex-1 border-t border-line bg-panel">
        <Shown />
      </main>
      {search.app !== undefined ? (
        <ApplicationPanel key={search.app} appKey={search.app} onClose={() => change({ app: undefined })} />
      ) : (
        search.about !== undefined && (
          <ClusterPanel key={search.about} name={search.about} onClose={() => change({ about: undefined })} />
        )
      )}
      {search.policy !== undefined && search.app === undefined && search.about === undefined && (
        <PolicyPanel key={search.policy} name={search.policy} onClose={() => change({ policy: undefined })} />
      )}
    </div>
  );
}

function Shown() {
  const [search] = useFleetSearch();
  if (search.a !== undefined && search.b !== undefined) return <ComparePage a={search.a} b={search.b} />;
  if (search.rollout !== undefined) return <RolloutPage key={search.rollout} id={search.rollout} />;
  if (search.promotion !== undefined) return <PromotionPage key={search.promotion} name={search.promotion} />;
  switch (search.view) {
    case 'list':
      return <ListView />;
    case 'rollouts':
      return <RolloutsView />;
    case 'promotions':
      return <PromotionsView />;
    case 'policies':
      return <PoliciesView />;
    case undefined:
      return <MatrixView />;
  }
}
