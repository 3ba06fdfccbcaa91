/** The reference's health statuses; an empty text stands for a script that answered an empty table. */
export type HealthStatus = 'Healthy' | 'Suspended' | 'Progressing' | 'Missing' | 'Degraded' | 'Unknown';

/** What a health check says; `message` is empty where there is nothing to add. */
export interface Health {
  status: HealthStatus | '';
  message: string;
}

/** From best to worst. */
export const HEALTH_ORDER: readonly HealthStatus[] = [
  'Healthy',
  'Suspended',
  'Progressing',
  'Missing',
  'Degraded',
  'Unknown',
];

/** The worse of two; an empty status counts as the best. */
export function worse<Status extends HealthStatus | ''>(a: Status, b: Status): Status {
  return HEALTH_ORDER.indexOf(b as HealthStatus) > HEALTH_ORDER.indexOf(a as HealthStatus) ? b : a;
}

export const healthy = (message = ''): Health => ({ status: 'Healthy', message });
export const progressing = (message = ''): Health => ({ status: 'Progressing', message });
export const degraded = (message = ''): Health => ({ status: 'Degraded', message });
export const suspended = (message = ''): Health => ({ status: 'Suspended', message });
export const unknown = (message = ''): Health => ({ status: 'Unknown', message });
