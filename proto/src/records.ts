/** The signed and reported records alone: no gRPC comes with this entry. */
export * from './gen/muster/agent/v1/records.ts';
