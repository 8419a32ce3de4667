package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

// shownKey is the number of bytes of a key's hash that are shown, two digits each.
const shownKey = 8

// hashedKey returns the form in which keys are shown on spans and events: equal
// keys look equal, and whoever has the secret can check a guess, but nobody can read the
// key. A hash without a secret would hide nothing: IDs of users are few, and anybody
// could try them one by one.
//
// An empty secret stands for a random one: then only hashes of this process can be
// compared.
func hashedKey(secret string) func(key string) string {
	if secret == "" {
		secret = rand.Text()
	}
	return func(key string) string {
		h := hmac.New(sha256.New, []byte(secret))
		h.Write([]byte(key)) // never fails
		return hex.EncodeToString(h.Sum(nil)[:shownKey])
	}
}
