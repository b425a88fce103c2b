// Package order validates an order of the shop.
package order

import (
	"context"
	"log/slog"
)

type Item struct {
	// pointers tell what is missing from what is 0
	Quantity   *int `json:"quantity"`
	PriceCents *int `json:"price_cents"`
}

type Order struct {
	Order string `json:"order"`
	Items []Item `json:"items"`
}

type Answer struct {
	Order      string `json:"order"`
	Accepted   bool   `json:"accepted"`
	TotalCents *int   `json:"total_cents,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

func validate(order Order) (total int, reason string) {
	if order.Order == "" {
		return 0, "order is empty"
	}
	if len(order.Items) == 0 {
		return 0, "items are empty"
	}
	for _, item := range order.Items {
		if item.Quantity == nil || *item.Quantity < 1 || *item.Quantity > 100 {
			return 0, "quantity must be 1 to 100"
		}
		if item.PriceCents == nil || *item.PriceCents < 0 {
			return 0, "price_cents must be 0 or above"
		}
		total += *item.Quantity * *item.PriceCents
	}
	return total, ""
}

// Handle is what Lambda calls for each event.
func Handle(ctx context.Context, order Order) (Answer, error) {
	answer := Answer{Order: order.Order}
	fields := []any{"order", order.Order}
	if total, reason := validate(order); reason == "" {
		answer.Accepted, answer.TotalCents = true, &total
		fields = append(fields, "accepted", true, "total_cents", total)
	} else {
		answer.Reason = reason
		fields = append(fields, "accepted", false, "reason", reason)
	}
	slog.InfoContext(ctx, "order validated", fields...)
	return answer, nil
}
