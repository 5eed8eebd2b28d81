import { useQuery } from "@tanstack/react-query";

import type { SignInOptions } from "@/lib/api/types";

import { sendWithoutSession } from "./send-without-session";

/** How one can sign in to this server, besides with its API key. */
export function useSignInOptions() {
  return useQuery({
    queryKey: ["sign-in-options"],
    queryFn: async () =>
      (await sendWithoutSession("GET", "/api/v1/sign-in/options")) as SignInOptions,
    retry: false,
  });
}
