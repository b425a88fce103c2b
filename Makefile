# The front door. Every target calls one script, which works as well without make:
#     python3 site/scripts/house.py book
PYTHON ?= python3
HOUSE = $(PYTHON) site/scripts/house.py

.DEFAULT_GOAL := help
.PHONY: help setup book read lab test accept clean bench prices measure new-chapter new-lab reset-lab

help setup book read lab test accept clean bench prices:
	@$(HOUSE) $@ $(ARGS)

# A title may hold quotes and apostrophes.
quoted = '$(subst ','\'',$(1))'

new-chapter:
	@$(HOUSE) $@ $(if $(SLUG),--slug $(call quoted,$(SLUG))) $(if $(PART),--part $(call quoted,$(PART))) $(if $(TITLE),--title $(call quoted,$(TITLE)))

new-lab:
	@$(HOUSE) $@ $(if $(SLUG),--slug $(call quoted,$(SLUG))) $(if $(TITLE),--title $(call quoted,$(TITLE)))

measure:
	@$(HOUSE) $@ $(if $(NAME),$(call quoted,$(NAME)))

reset-lab:
	@$(HOUSE) $@ $(if $(LAB),$(call quoted,$(LAB)))
