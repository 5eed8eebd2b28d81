import { afterEach, describe, expect, it } from "vitest";

import { clearPreferences, getPreference, setPreference } from "./preferences";

describe("clearPreferences", () => {
  afterEach(() => {
    localStorage.clear();
    sessionStorage.clear();
  });

  it("removes the drafts of both storages and keeps the session and other products", () => {
    setPreference("theme", "dark");
    localStorage.setItem("crewai-runner:drafts", "{}");
    localStorage.setItem("crewai-runner:session", "{}");
    localStorage.setItem("other", "1");
    sessionStorage.setItem("crewai-runner:text-drafts", "{}");
    sessionStorage.setItem("other", "1");

    clearPreferences();

    expect(getPreference("theme")).toBe("system");
    expect(Object.keys(localStorage).toSorted()).toEqual(["crewai-runner:session", "other"]);
    expect(Object.keys(sessionStorage)).toEqual(["other"]);
  });
});
