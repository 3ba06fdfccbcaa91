import { useQuery } from '@tanstack/react-query';
import { Outlet } from '@tanstack/react-router';
import { ErrorNotice } from '../../ui/notice.tsx';
import { SkeletonRows } from '../../ui/parts.tsx';
import { LoginPage } from './login-page.tsx';
import { sessionQuery } from './queries.ts';

/** The page for who is logged in, the login for everybody else. */
export function Gate() {
  const { data, isPending, error, refetch } = useQuery(sessionQuery);
  if (isPending) return <SkeletonRows />;
  if (error && data === undefined) return <ErrorNotice error={error} retry={() => void refetch()} />;
  return data ? <Outlet /> : <LoginPage />;
}
