import { ServiceError } from '../errors.ts';
import type { HttpResponse } from './http.ts';

/** An API answered with a status that is no success. */
export class ApiError extends ServiceError {
  readonly status: number;
  /** Not a property: what a log prints of an error does not hold the whole answer. */
  readonly #response: HttpResponse | undefined;

  constructor(message: string, status: number, options?: ErrorOptions & { readonly response?: HttpResponse }) {
    super(message, options);
    this.status = status;
    this.#response = options?.response;
  }

  /** The whole answer, where it came from a service. */
  get response(): HttpResponse | undefined {
    return this.#response;
  }
}

/** No answer came, or only a part of one. */
export class ConnectionError extends ServiceError {}

/** The service catalogue has no such endpoint. */
export class NoEndpointError extends ServiceError {
  readonly serviceType: string;

  constructor(message: string, serviceType: string) {
    super(message);
    this.serviceType = serviceType;
  }
}

/** The status that an API answered with; undefined for any other error. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}
